package sio_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"sluice/sio"
	"sluice/sio/siotest"
)

// target handles every kind of event, and acknowledges what it is asked to.
func target() *sio.Server {
	srv := &sio.Server{Logger: quiet(), MaxEventBytes: 10_000}
	for _, ns := range []*sio.Namespace{srv.Of("/"), srv.Of("/other")} {
		ns.On("a", func(e *sio.Event) {
			for i := range e.NumArgs() + 1 {
				var v any
				e.Decode(i, &v)
				e.Ack(v)
			}
		})
		ns.OnStream("b", func(e *sio.Event) {
			for a := e.Attachment(); a != nil; a = e.Attachment() {
				a.Read(make([]byte, 10))
			}
			e.Ack()
		})
		ns.OnUnknown(func(e *sio.Event) { e.Ack(e.Name) })
		ns.OnInvalid(func(s *sio.Socket, err error) { s.Emit("problem", err.Error()) })
	}
	return srv
}

// conversation are messages of a client, separated by line ends; those that begin with "b:" are binary.
func (p *peer) hold(conversation string) {
	for line := range strings.SplitSeq(conversation, "\n") {
		if data, binary := strings.CutPrefix(line, "b:"); binary {
			wsutil.WriteClientBinary(p.conn, []byte(data))
		} else {
			wsutil.WriteClientText(p.conn, []byte(line))
		}
	}
}

var conversations = []string{
	"40\n42[\"a\",1,{\"x\":[null]}]",
	"40/other,{\"token\":\"x\"}\n42/other,12[\"a\",\"b\"]\n41/other,",
	"40\n451-3[\"a\",{\"_placeholder\":true,\"num\":0}]\nb:bytes\n42[\"a\"]",
	"40\n452-/other,[\"b\",{\"_placeholder\":true,\"num\":1},[{\"num\":0,\"_placeholder\":true}]]\nb:x\nb:y",
	"40\n452-7[\"b\",{\"_placeholder\":true,\"num\":1},[{\"num\":0,\"_placeholder\":true}]]\nb:0123456789abc\nb:\n430[]",
	"40\n461-0[{\"_placeholder\":true,\"num\":0}]\nb:x\n41\n40",
	"b:\x82\xa4type\x00\xa3nsp\xa1/\nb:\x84\xa4type\x02\xa4data\x93\xa1a\x01\x81\xa1x\xcb?\xe0\x00\x00\x00\x00\x00\x00\xa2id\x07\xa3nsp\xa1/",
	"b:\x82\xa4type\x00\xa3nsp\xa1/\nb:\x84\xa4type\x02\xa4data\x92\xa1b\xc4\x03abc\xa2id\x07\xa3nsp\xa1/\nb:\x83\xa4type\x03\xa2id\x00\xa4data\x90\xa3nsp\xa1/",
	"3\n2\n40\n6\n42[\"what\",\"\\u00e9\\ud83d\\ude00\"]\n1",
}

// mutate changes a conversation a little.
func mutate(r *rand.Rand, s string) string {
	b := []byte(s)
	for range 1 + r.IntN(4) {
		i := r.IntN(len(b))
		switch r.IntN(5) {
		case 0:
			b[i] = byte(r.IntN(256))
		case 1:
			b = slices.Delete(b, i, min(len(b), i+1+r.IntN(4)))
		case 2:
			b = slices.Insert(b, i, []byte(`0123456789-/,?"[]{}:\`)[r.IntN(21)])
		case 3:
			j := r.IntN(len(b))
			b[i], b[j] = b[j], b[i]
		default:
			b = slices.Insert(b, i, b[i:min(len(b), i+r.IntN(30))]...)
		}
		if len(b) == 0 {
			return "4"
		}
	}
	return string(b)
}

func TestMalformedInputNeverReachesAnotherConnection(t *testing.T) {
	const inputs, hands = 1500, 4
	io := target()
	url := serve(t, io)
	bystander := join(t, url, "/")
	r := rand.New(rand.NewPCG(1, 2))
	work := make(chan string)
	var senders sync.WaitGroup
	for range hands {
		senders.Go(func() {
			for conversation := range work {
				conn, _, _, err := ws.Dial(t.Context(), strings.Replace(url, "http", "ws", 1)+"/socket.io/?EIO=4&transport=websocket")
				if err != nil {
					t.Error(err)
					continue
				}
				(&peer{t: t, conn: conn}).hold(conversation)
				conn.Close()
			}
		})
	}
	for i := range inputs {
		work <- mutate(r, conversations[i%len(conversations)])
		if i%100 == 0 {
			bystander.send(`21["a"]`)
			bystander.expect(`31[null]`)
		}
	}
	close(work)
	senders.Wait()
	bystander.send(`21["a"]`)
	bystander.expect(`31[null]`)
	if got := io.Stats(); got.Panics != 0 {
		t.Errorf("%d handlers panicked", got.Panics)
	}
}

func FuzzServer(f *testing.F) {
	for _, conversation := range conversations {
		f.Add(conversation)
	}
	f.Fuzz(func(t *testing.T, conversation string) {
		io := target()
		srv := siotest.NewServer(io)
		defer srv.Close()
		p := dialMemory(t, srv)
		var reader sync.WaitGroup
		reader.Go(func() {
			for {
				if _, err := p.tryRead(); err != nil {
					return
				}
			}
		})
		p.hold(conversation)
		p.conn.Close()
		reader.Wait()
		srv.Close()
		if got := io.Stats(); got.Panics != 0 || got.Sockets != 0 || got.HalfSent != 0 {
			t.Errorf("after %q: %+v", conversation, got)
		}
	})
}
