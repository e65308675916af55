package engine

// Outgoing is one message to send.
type Outgoing struct {
	Binary bool   // else text, which must be UTF-8
	Data   []byte // never written to after Prepare
}

// Prepared is a run of messages that is sent without another between them. It is immutable and may be sent to any number of
// sessions; what a transport needs of it is encoded once, when the first session needs it, and shared by all.
type Prepared struct {
	msgs []Outgoing
	size int
}

// Prepare makes a Prepared of msgs. It keeps the slices: their bytes must not change any more.
func Prepare(msgs ...Outgoing) *Prepared {
	p := &Prepared{msgs: msgs}
	for _, m := range msgs {
		p.size += len(m.Data)
	}
	return p
}

// Size returns the payload of all messages in bytes.
func (p *Prepared) Size() int { return p.size }
