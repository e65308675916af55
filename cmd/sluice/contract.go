package main

import (
	"context"
	"fmt"

	"sluice/relay"
	"sluice/sio/client"
)

// call is the name of a request of the contract, with what it takes and what it is acknowledged with beside ok.
type call[Req, Ack any] string

const (
	callJoin      call[joinRequest, joined]        = "join"
	callPublish   call[publishRequest, published]  = "publish"
	callChunk     call[chunkRequest, position]     = "chunk" // and the bytes
	callFinish    call[finishRequest, finished]    = "finish"
	callCancel    call[streamRequest, struct{}]    = "cancel"
	callSubscribe call[subscribeRequest, position] = "subscribe"
	callList      call[listRequest, listed]        = "list"
	callCredit    call[position, struct{}]         = "credit" // received up to here
	eventStream                                    = "stream" // relay.Info, as of "end"
	eventChunk                                     = "chunk"  // chunkEvent, and the bytes
	eventGap                                       = "gap"    // gapEvent
	eventEnd                                       = "end"
	eventProblem                                   = "problem" // relay.Error
)

type (
	joinRequest struct {
		Room string `json:"room"`
		From string `json:"from,omitempty"`
	}
	joined struct {
		Streams []relay.Info `json:"streams"`
	}
	publishRequest struct {
		Room string     `json:"room"`
		Name string     `json:"name,omitempty"`
		Kind relay.Kind `json:"kind"`
		Size *int64     `json:"size,omitempty"`
		Key  string     `json:"key"`
	}
	published struct {
		Stream relay.Info `json:"stream"`
		Offset int64      `json:"offset"`
		Window int64      `json:"window"`
		Chunk  int64      `json:"chunk"`
	}
	chunkRequest struct {
		Stream string `json:"stream"`
		Offset int64  `json:"offset"`
	}
	finishRequest struct {
		Stream string `json:"stream"`
		SHA256 string `json:"sha256,omitempty"`
	}
	finished struct {
		Stream relay.Info `json:"stream"`
	}
	streamRequest struct {
		Stream string `json:"stream"`
	}
	subscribeRequest struct {
		Stream string `json:"stream"`
		From   *int64 `json:"from,omitempty"` // nil: the start of a file, now of what is live
		Window int64  `json:"window,omitempty"`
	}
	listRequest struct {
		Room   string `json:"room"`
		Before string `json:"before,omitempty"`
		Limit  int    `json:"limit,omitempty"`
	}
	listed struct {
		Streams []relay.Info `json:"streams"`
	}

	// position is an offset in a stream.
	position struct {
		Stream string `json:"stream,omitempty"`
		Offset int64  `json:"offset"`
	}
	chunkEvent struct {
		Stream string `json:"stream"`
		Offset int64  `json:"offset"`
		Init   bool   `json:"init"`
	}
	gapEvent struct {
		Stream string `json:"stream"`
		From   int64  `json:"from"`
		To     int64  `json:"to"`
		Reason string `json:"reason"`
	}
)

// listLimit is the most that one list may ask for.
const listLimit = 500

// do makes the request and waits for its acknowledgement. A refusal is a *relay.Error.
func (k call[Req, Ack]) do(ctx context.Context, c *client.Client, req Req) (Ack, error) {
	args, err := c.EmitWithAck(ctx, string(k), req)
	if err != nil {
		var none Ack
		return none, err
	}
	return k.answer(args)
}

// start sends the request, with its bytes if it has some, which may not be changed until it is acknowledged.
func (k call[Req, Ack]) start(ctx context.Context, c *client.Client, req Req, data ...[]byte) (*client.Pending, error) {
	args := []any{req}
	for _, d := range data {
		args = append(args, d)
	}
	return c.Start(ctx, string(k), args...)
}

// wait waits for the acknowledgement of what was started.
func (k call[Req, Ack]) wait(ctx context.Context, p *client.Pending) (Ack, error) {
	args, err := p.Wait(ctx)
	if err != nil {
		var none Ack
		return none, err
	}
	return k.answer(args)
}

// answer reads an acknowledgement.
func (k call[Req, Ack]) answer(args client.Args) (ack Ack, err error) {
	var verdict struct {
		OK    bool
		Error *relay.Error
	}
	if err := args.Decode(0, &verdict); err != nil {
		return ack, fmt.Errorf("%s: this is no sluice server: %w", string(k), err)
	}
	if !verdict.OK {
		if verdict.Error == nil {
			return ack, fmt.Errorf("%s: this is no sluice server: it refuses and does not say why", string(k))
		}
		return ack, verdict.Error
	}
	return ack, args.Decode(0, &ack)
}
