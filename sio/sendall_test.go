package sio_test

import (
	"slices"
	"testing"
	"testing/synctest"

	"sluice/sio"
)

func TestEventsThatAreSentTogetherComeInTheirOrder(t *testing.T) {
	gather(t, &sio.Server{}, 3, func(tr *troupe) {
		ns := tr.sockets[0].Namespace()
		var told []string
		ns.OnAnyOutgoing(func(s *sio.Socket, p *sio.Prepared) {
			if s == tr.sockets[1] {
				told = append(told, p.Name())
			}
		})
		all := []*sio.Prepared{sio.Prepare("a", 1), sio.Prepare("b", []byte("x")), sio.Prepare("c", 3)}
		for _, a := range []sio.Audience{ns.Except(tr.sockets[0].ID()), ns.Except(tr.sockets[0].ID()).Compress(false)} {
			if err := a.SendAll(all...); err != nil {
				t.Error(err)
			}
			for _, p := range tr.peers[1:] {
				p.expect(`2["a",1]`, `51-["b",{"_placeholder":true,"num":0}]`, "b:x", `2["c",3]`)
			}
			synctest.Wait()
		}
		if want := []string{"a", "b", "c", "a", "b", "c"}; !slices.Equal(told, want) {
			t.Errorf("who watches what goes out is told of %v; want %v", told, want)
		}
		if err := ns.SendAll(); err != nil {
			t.Errorf("nothing: %v", err)
		}
		wrong := sio.Prepare("wrong", func() {})
		if err := ns.SendAll(all[0], wrong, all[2]); err == nil {
			t.Error("what cannot be encoded was sent")
		}
		for _, p := range tr.peers {
			p.expect(`2["a",1]`)
		}
		ns.Emit("last")
		for _, p := range tr.peers {
			p.expect(`2["last"]`)
		}
	})
}

func TestOfEventsThatAreSentTogetherThoseThatFitAreSent(t *testing.T) {
	gather(t, &sio.Server{MaxQueuedPackets: 3}, 1, func(tr *troupe) {
		var all []*sio.Prepared
		for i := range 10 {
			all = append(all, sio.Prepare("n", i))
		}
		if err := tr.sockets[0].Namespace().SendAll(all...); err != nil {
			t.Error(err)
		}
		tr.peers[0].expect(`2["n",0]`, `2["n",1]`, `2["n",2]`)
	})
}
