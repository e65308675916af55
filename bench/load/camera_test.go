package load

import (
	"context"
	"strings"
	"testing"
	"time"

	"sluice/chunker"
)

func TestACameraIsTunedInto(t *testing.T) {
	addr := media(t)
	ctx, stop := context.WithCancel(t.Context())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- Camera(ctx, addr, "room", func() { close(ready) }) }()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatal(err)
	}
	viewer, err := View(ctx, addr, "room")
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if took, err := Tune(ctx, addr, "room"); err != nil || took <= 0 {
			t.Errorf("Tune = %v, %v", took, err)
		}
	}
	if viewer.BytesIn() < cameraKeyBytes {
		t.Errorf("who looks on got %d bytes; want a key frame at least", viewer.BytesIn())
	}
	viewer.Close()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestACameraIsWebMWithAKeyEachSecond(t *testing.T) {
	if got := chunker.Sniff(append(webmHead, webmFrame(0, 0)...)).Type; got != "video/webm" {
		t.Errorf("it is %s; want video/webm", got)
	}
	s := chunker.NewSplitter("video/webm")
	s.Scan(webmHead)
	for group := range 3 {
		for frame := range cameraFrames {
			cuts, _ := s.Scan(webmFrame(group, frame))
			keys := 0
			for _, c := range cuts {
				if c.Kind == chunker.Key {
					keys++
					if want := time.Duration(group) * time.Second; c.Time != want {
						t.Errorf("the key of group %d is at %v", group, c.Time)
					}
				}
			}
			if want := frame == 0; (keys == 1) != want {
				t.Errorf("frame %d of group %d: %d keys", frame, group, keys)
			}
		}
	}
}

func TestAViewerIsNotContentWithLessThanAPicture(t *testing.T) {
	event := `["chunk",{"stream":"s","offset":0%s},{"_placeholder":true,"num":0}]`
	show := func(parts ...string) error {
		v := &viewer{shown: make(chan struct{})}
		for i := 0; i < len(parts); i += 2 {
			if err := v.event([]byte(strings.Replace(event, "%s", parts[i], 1))); err != nil {
				return err
			}
			v.part([]byte(parts[i+1]))
			if err := v.end(); err != nil {
				return err
			}
		}
		select {
		case <-v.shown:
			return nil
		default:
			return context.Canceled
		}
	}
	head, key, frame := string(webmHead), string(webmFrame(0, 0)), string(webmFrame(0, 1))
	const initFlag, keyFlag = `,"init":true`, `,"key":true`
	for what, c := range map[string]struct {
		parts []string
		ok    bool
	}{
		"all":                  {[]string{initFlag, head, keyFlag, key}, true},
		"a key in two":         {[]string{initFlag, head, keyFlag, key[:1000], "", key[1000:]}, true},
		"half a key":           {[]string{initFlag, head, keyFlag, key[:1000]}, false},
		"no key":               {[]string{initFlag, head, "", frame}, false},
		"no init segment":      {[]string{keyFlag, key}, false},
		"half an init segment": {[]string{initFlag, head[:20], keyFlag, key}, false},
		"a key that is none":   {[]string{initFlag, head, keyFlag, strings.Repeat(frame, 10)}, false},
	} {
		if err := show(c.parts...); (err == nil) != c.ok {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestASlowReaderTakesItsTime(t *testing.T) {
	addr := media(t)
	const messages = 10
	m := Noise(64 << 10)
	began := time.Now()
	r, err := Join(t.Context(), Sluice{Kind: "file"}, addr, "room", m, 1, Options{ReadRate: 2 << 20}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Transfer(t.Context(), messages, messages*m.Size()); err != nil {
		t.Error(err)
	}
	if took, least := time.Since(began), 300*time.Millisecond; took < least {
		t.Errorf("640 KiB at 2 MiB/s took %v; want %v at least", took, least)
	}
}

func TestAcksAreAskedFor(t *testing.T) {
	for name, c := range map[string]struct {
		addr string
		d    Dialect
	}{"sluice": {media(t), Sluice{Kind: "file"}}, "relay": {roomRelay(t, asItIs), Relay{}}} {
		r, err := Join(t.Context(), c.d, c.addr, "room", Noise(1<<10), 1, Options{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		times := NewLatency()
		enough, ended := make(chan struct{}), make(chan error)
		go func() { ended <- Ask(t.Context(), c.d.(Asker), r.Subscribers[0], time.Millisecond, enough, times) }()
		for times.Count() < 5 {
			if err := r.Pace(t.Context(), 1, time.Millisecond); err != nil {
				t.Fatal(name, err)
			}
		}
		close(enough)
		if err := <-ended; err != nil {
			t.Error(name, err)
		}
		times.Reset() // what was asked is waited for, though it is enough
		if err := Ask(t.Context(), c.d.(Asker), r.Subscribers[0], time.Hour, enough, times); err != nil || times.Count() != 1 {
			t.Errorf("%s: %v, %d answers; want one", name, err, times.Count())
		}
		r.Close()
	}
}
