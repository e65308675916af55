package load

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// A camera's picture, which nobody decodes: 30 frames a second, of which the first is a key, at about 2 Mbit/s.
const (
	cameraFrame     = time.Second / 30
	cameraFrames    = 30 // in a group
	cameraKeyBytes  = 40 << 10
	cameraDeltaSize = 7 << 10
)

// webmHead is the init segment of a WebM stream with one track of VP8.
var webmHead = bytes.Join([][]byte{
	ebml(0x1A45DFA3, ebml(0x4282, []byte("webm"))),
	{0x18, 0x53, 0x80, 0x67, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, // a segment of unknown size
	ebml(0x1654AE6B, ebml(0xAE, bytes.Join([][]byte{ebml(0xD7, []byte{1}), ebml(0x83, []byte{1}), ebml(0x86, []byte("V_VP8"))}, nil))),
}, nil)

// cameraKey is how many bytes a key frame has, with the beginning of its cluster.
var cameraKey = len(webmFrame(0, 0))

// webmCluster is how a cluster begins, whose size is unknown.
var webmCluster = []byte{0x1f, 0x43, 0xb6, 0x75, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// ebml is an element.
func ebml(id uint32, content []byte) []byte {
	b := bytes.TrimLeft(binary.BigEndian.AppendUint32(nil, id), "\x00")
	b = binary.BigEndian.AppendUint64(b, 1<<56|uint64(len(content)))
	return append(b, content...)
}

// webmFrame is a frame of a cluster, with the cluster's beginning if it is the first of one.
func webmFrame(group, frame int) []byte {
	at := time.Duration(frame) * cameraFrame / time.Millisecond
	block := binary.BigEndian.AppendUint16([]byte{0x81}, uint16(at))
	if frame > 0 {
		return ebml(0xA3, append(block, make([]byte, 1+cameraDeltaSize)...))
	}
	const key = 0x80
	block = append(append(block, key), make([]byte, cameraKeyBytes)...)
	stamp := binary.BigEndian.AppendUint64(nil, uint64(group)*1000)
	return bytes.Join([][]byte{webmCluster, ebml(0xE7, stamp), ebml(0xA3, block)}, nil)
}

// Camera publishes a live stream to a room of sluice's, a frame at a time, until ctx is done, which is no error. ready is called
// once there is something to see.
func Camera(ctx context.Context, addr, room string, ready func()) error {
	p, err := publish(ctx, addr, Noise(MinMessageBytes), map[string]any{"room": room, "name": "camera", "kind": "live", "archive": false})
	if err != nil {
		return err
	}
	defer p.Close()
	if err := p.sendPart(ctx, webmHead); err != nil {
		return err
	}
	for i, due := 0, time.Now(); ctx.Err() == nil; i, due = i+1, due.Add(cameraFrame) {
		if i == cameraFrames {
			ready()
		}
		time.Sleep(time.Until(due))
		if err := p.sendPart(ctx, webmFrame(i/cameraFrames, i%cameraFrames)); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// Tune connects, joins a room that a Camera is in, and leaves. It returns how long it took from joining until a frame had come
// that can be shown: the init segment, and all of a key frame.
func Tune(ctx context.Context, addr, room string) (time.Duration, error) {
	v := &viewer{shown: make(chan struct{})}
	conn, err := Dial(ctx, addr, Options{Event: v.event, Binary: v.part, End: v.end})
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	began := time.Now()
	if _, err := request(ctx, conn, "join", map[string]any{"room": room}); err != nil {
		return 0, err
	}
	select {
	case <-v.shown:
		return time.Since(began), nil
	case <-conn.Ended():
		return 0, conn.Err()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// viewer waits for the first frame that can be shown.
type viewer struct {
	init, key bool // what the chunk that comes is
	begun     bool // a key frame has begun
	head      []byte
	group     []byte // what has come from the key on
	done      bool
	shown     chan struct{} // closed at the first
}

func (v *viewer) event(text []byte) error {
	if isEvent(text, "problem") {
		return fmt.Errorf("the server said %s", text)
	}
	v.init, v.key = bytes.Contains(text, []byte(`"init":true`)), bytes.Contains(text, []byte(`"key":true`))
	if isEvent(text, "chunk") && !v.done && !v.init && !v.key && !v.begun {
		return errors.New("the first chunk is neither of the init segment nor a key")
	}
	return nil
}

func (v *viewer) part(part []byte) error {
	v.begun = v.begun || v.key
	switch {
	case v.done:
	case v.init:
		v.head = append(v.head, part...)
	default:
		v.group = append(v.group, part...)
	}
	return nil
}

func (v *viewer) end() error {
	if v.done || len(v.group) < cameraKey {
		return nil
	}
	if !bytes.Equal(v.head, webmHead) {
		return fmt.Errorf("%d bytes of an init segment came, or others than the %d sent", len(v.head), len(webmHead))
	}
	if !bytes.HasPrefix(v.group, webmCluster) {
		return fmt.Errorf("a key begins with % x", v.group[:4])
	}
	v.done = true
	close(v.shown)
	return nil
}

// View connects one who joins a room and takes what comes.
func View(ctx context.Context, addr, room string) (Conn, error) {
	conn, err := Dial(ctx, addr, Options{})
	if err != nil {
		return nil, err // and no Conn of a nil Socket
	}
	if _, err := request(ctx, conn, "join", map[string]any{"room": room}); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}
