package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"sluice/chunker"
	"sluice/relay"
)

const (
	mediaFolder = "media/"
	roomsFolder = "rooms/"
	manifestExt = ".json"
)

// parseID refuses what is not exactly a ULID: an id becomes part of a key.
func parseID(id string) (ulid.ULID, error) {
	u, err := ulid.ParseStrict(id)
	if err == nil && u.String() != id {
		err = ulid.ErrInvalidCharacters // lower case
	}
	if err != nil {
		return u, fmt.Errorf("stream id %.40q: %w", id, err)
	}
	return u, nil
}

// contentPrefix is what the keys of a stream's content begin with, whatever its type.
func contentPrefix(id ulid.ULID) string {
	return dayFolder(ulid.Time(id.Time())) + "/" + id.String() + "."
}

// dayFolder is where the content of streams is that began on a day.
func dayFolder(t time.Time) string { return mediaFolder + t.UTC().Format("2006/01/02") }

// contentKey is where a stream's content is.
func contentKey(id ulid.ULID, info relay.Info) string {
	return contentPrefix(id) + strings.TrimPrefix(chunker.Lookup(info.Type).Ext, ".")
}

// roomPrefix is what the keys of a room's manifests begin with. The room's name is never part of a key.
func roomPrefix(room string) string {
	sum := sha256.Sum256([]byte(room))
	return roomsFolder + hex.EncodeToString(sum[:]) + "/"
}

func manifestKey(room, id string) string { return roomPrefix(room) + id + manifestExt }

// manifestID is the reverse of manifestKey; ok is false for what is no manifest.
func manifestID(prefix, key string) (id string, ok bool) {
	id, ok = strings.CutSuffix(strings.TrimPrefix(key, prefix), manifestExt)
	if !ok {
		return "", false
	}
	_, err := parseID(id)
	return id, err == nil
}

// firstID sorts before the id of every stream that began at t or later, and after all others.
func firstID(t time.Time) string {
	var id ulid.ULID
	if t.UnixMilli() > 0 {
		_ = id.SetTime(min(uint64(t.UnixMilli()), ulid.MaxTime())) // never larger than it can be
	}
	return id.String()
}
