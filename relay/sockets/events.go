package sockets

import (
	"encoding/json"

	"sluice/relay"
)

// What clients emit. Each is acknowledged with one object: {ok: true, ...} or {ok: false, error: {code, message}}.
const (
	evJoin        = "join"        // JoinRequest -> joinReply
	evLeave       = "leave"       // roomRequest -> reply
	evSend        = "send"        // sendRequest, bytes -> streamReply, once durable
	evPublish     = "publish"     // publishRequest -> publishReply
	evChunk       = "chunk"       // chunkRequest, bytes -> chunkReply
	evFinish      = "finish"      // finishRequest -> streamReply
	evCancel      = "cancel"      // streamRequest -> reply
	evSubscribe   = "subscribe"   // subscribeRequest -> offsetReply
	evUnsubscribe = "unsubscribe" // streamRequest -> reply
	evCredit      = "credit"      // creditRequest -> reply
	evList        = "list"        // listRequest -> listReply
	evDelete      = "delete"      // streamRequest -> reply
)

// What the server emits beside "chunk".
const (
	evMember   = "member"   // memberEvent
	evStream   = "stream"   // relay.Info
	evGap      = "gap"      // gapEvent
	evEnd      = "end"      // relay.Info
	evArchived = "archived" // relay.Info
	evKeyframe = "keyframe" // keyframeEvent, to the publisher
	evMedia    = "media"    // relay.Info, bytes?
	evProgress = "progress" // offsetEvent
	evDeleted  = "deleted"  // deletedEvent
	evProblem  = "problem"  // problemEvent
)

type (
	joinRequest struct {
		Room    string   `json:"room"`
		Name    string   `json:"name"`
		From    string   `json:"from"`    // "live" (default), "start", "none"
		Deliver string   `json:"deliver"` // "chunks" (default), "whole"
		Accept  []string `json:"accept"`  // encodings of chunks it takes: "deflate-raw", "zstd"; others are ignored
	}
	roomRequest struct {
		Room string `json:"room"`
	}
	streamRequest struct {
		Stream string `json:"stream"`
	}
	sendRequest struct {
		Room    string          `json:"room"`
		Name    string          `json:"name"`
		Type    string          `json:"type"` // what the sender believes; the content decides
		Size    *int64          `json:"size"`
		SHA256  string          `json:"sha256"`
		Archive *bool           `json:"archive"` // false: only relayed
		Meta    json.RawMessage `json:"meta"`
	}
	publishRequest struct {
		Room    string          `json:"room"`
		Name    string          `json:"name"`
		Type    string          `json:"type"`
		Size    *int64          `json:"size"`
		Kind    relay.Kind      `json:"kind"`
		Key     string          `json:"key"`
		Archive *bool           `json:"archive"`
		Meta    json.RawMessage `json:"meta"`
	}
	chunkRequest struct {
		Stream string `json:"stream"`
		Offset int64  `json:"offset"`
	}
	finishRequest struct {
		Stream string `json:"stream"`
		SHA256 string `json:"sha256"`
	}
	subscribeRequest struct {
		Stream string   `json:"stream"`
		From   position `json:"from"`
		Window int64    `json:"window"` // bytes sent ahead of credit; 0: no bound
	}
	creditRequest struct {
		Stream string `json:"stream"`
		Offset int64  `json:"offset"`
	}
	listRequest struct {
		Room   string `json:"room"`
		Before string `json:"before"`
		Limit  int    `json:"limit"`
	}
)

type (
	reply struct {
		OK    bool          `json:"ok"`
		Error *errorDetails `json:"error,omitempty"`
	}
	errorDetails struct {
		Code    relay.Code `json:"code"`
		Message string     `json:"message"`
		Limit   int64      `json:"limit,omitempty"`
	}
	joinReply struct {
		reply
		Room    string       `json:"room"`
		ID      string       `json:"id"`
		Members []memberInfo `json:"members"`
		Streams []relay.Info `json:"streams"`
	}
	memberInfo struct {
		ID   string `json:"id"`
		Name string `json:"name,omitempty"`
	}
	streamReply struct {
		reply
		Stream relay.Info `json:"stream"`
		Gaps   relay.Gaps `json:"gaps,omitempty"` // of a live stream: what its readers were not given, by reason
	}
	publishReply struct {
		reply
		Stream relay.Info `json:"stream"`
		Offset int64      `json:"offset"`
		Window int64      `json:"window"`
		Chunk  int64      `json:"chunk"`
	}
	chunkReply struct {
		reply
		Offset int64 `json:"offset"`
		Window int64 `json:"window"`
	}
	offsetReply struct {
		reply
		Offset int64 `json:"offset"`
	}
	listReply struct {
		reply
		Streams []relay.Info `json:"streams"`
	}
)

type (
	memberEvent struct {
		Room  string `json:"room"`
		ID    string `json:"id"`
		Name  string `json:"name,omitempty"`
		Event string `json:"event"` // "join", "leave"
	}
	chunkEvent struct {
		Stream   string `json:"stream"`
		Offset   int64  `json:"offset"`
		Key      bool   `json:"key,omitempty"`
		Init     bool   `json:"init,omitempty"`
		Encoding string `json:"encoding,omitempty"`
		Size     int    `json:"size,omitempty"` // decoded, where Encoding is given
	}
	gapEvent struct {
		Stream string       `json:"stream"`
		From   int64        `json:"from"`
		To     int64        `json:"to"`
		Reason relay.Reason `json:"reason"`
	}
	offsetEvent struct {
		Stream string `json:"stream"`
		Offset int64  `json:"offset"`
	}
	keyframeEvent struct {
		Stream string `json:"stream"`
	}
	deletedEvent struct {
		Room   string `json:"room"`
		Stream string `json:"stream"`
	}
	problemEvent struct {
		Code    relay.Code `json:"code"`
		Message string     `json:"message"`
		Event   string     `json:"event,omitempty"`
		Stream  string     `json:"stream,omitempty"`
		Limit   int64      `json:"limit,omitempty"`
		Closing bool       `json:"closing,omitempty"` // the connection is about to be closed
		Slowed  bool       `json:"slowed,omitempty"`  // nothing was refused: the socket is read no faster
	}
)

// position is where a subscription begins: an offset, "live" or "start". Left out it is "live", which for a file is its start. From
// an offset of a live stream everything comes until the reader has caught up; from then on gaps may come, as for everybody.
type position struct{ offset int64 }

func (p *position) UnmarshalJSON(b []byte) error {
	var word string
	if json.Unmarshal(b, &word) == nil {
		switch word {
		case "live":
			p.offset = relay.FromLive
			return nil
		case "start":
			p.offset = 0
			return nil
		}
		return relay.Errorf(relay.BadRequest, `from is an offset, "live" or "start"`)
	}
	if err := json.Unmarshal(b, &p.offset); err != nil || p.offset < 0 {
		return relay.Errorf(relay.BadRequest, `from is an offset, "live" or "start"`)
	}
	return nil
}
