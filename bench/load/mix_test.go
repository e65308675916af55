package load

import (
	"testing"
	"time"
)

func TestFlowsOfOneConnectionAreToldApart(t *testing.T) {
	m := Noise(64)
	one, two := &Subscriber{checker: NewChecker(m)}, &Subscriber{checker: NewChecker(m)}
	all := &Subscriber{flows: map[string]*Subscriber{"1": one, "2": two}}
	in := &frames{binary: all.feed, text: func(text []byte) error { return all.turn(string(quoted(text, "flow"))) }}
	var sent []byte
	for number, flow := range []string{"1", "2", "1"} {
		sent = appendPlain(sent, flow, m, int64(number/2), time.Time{})
	}
	if err := in.feed(sent); err != nil {
		t.Fatal(err)
	}
	if one.got.Load() != 2 || two.got.Load() != 1 {
		t.Errorf("%d and %d messages; want 2 and 1", one.got.Load(), two.got.Load())
	}
	if err := in.feed(appendPlain(nil, "3", m, 0, time.Time{})); err == nil {
		t.Error("a flow that nobody knows was taken")
	}
}

func TestSluicesStreamsHaveTheNamesOfFlows(t *testing.T) {
	m := Noise(64)
	one := &Subscriber{checker: NewChecker(m)}
	r := &sluiceReader{subscriber: &Subscriber{flows: map[string]*Subscriber{"7": one}}}
	if err := r.event([]byte(`["stream",{"id":"01AB","room":"room","name":"7"}]`)); err != nil {
		t.Fatal(err)
	}
	if err := r.event([]byte(`["chunk",{"stream":"01AB","offset":0},{"_placeholder":true,"num":0}]`)); err != nil {
		t.Fatal(err)
	}
	if r.subscriber.current != one {
		t.Error("the chunk is not of the flow that its stream is named after")
	}
	if err := r.event([]byte(`["chunk",{"stream":"01CD","offset":0},{"_placeholder":true,"num":0}]`)); err == nil {
		t.Error("a chunk of a stream that nobody knows was taken")
	}
}
