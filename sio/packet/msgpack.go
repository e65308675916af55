package packet

import (
	"slices"
	"strings"
)

// ParseMsgpack reads a packet as the clients with socket.io-msgpack-parser send it: one binary message that holds everything.
// It validates all that [Parse] does, and what it returns is what Parse would return of the same packet as text: binary among the
// data is taken out, has placeholders in Data, and is returned as attachments, which alias message. Errors are *[FormatError].
//
// Data can be up to six times as long as message: servers bound it. Dates become text and numbers that JSON does not have null, as
// in JSON.stringify; undefined is left out of objects and null elsewhere.
func ParseMsgpack(message []byte) (p Packet, attachments [][]byte, err error) {
	u := unpacker{data: message, text: make([]byte, 0, len(message))}
	if p, err = u.packet(); err != nil {
		return p, nil, err
	}
	if u.pos < len(message) {
		return p, nil, malformed("%d bytes behind the packet", len(message)-u.pos)
	}
	if len(u.attachments) == 0 {
		return p, nil, p.validate()
	}
	if p.Type != Event && p.Type != Ack {
		return p, nil, malformed("%v with attachments", p.Type)
	}
	p.Type += BinaryEvent - Event
	p.Attachments = len(u.attachments)
	return p, u.attachments, p.validate()
}

// members are those of the map that is a packet.
var members = [...]string{"type", "nsp", "id", "data"}

const typeMember, nspMember, idMember, dataMember = 0, 1, 2, 3

// packet reads a packet's members. None may come twice; those that nobody knows are skipped.
func (u *unpacker) packet() (Packet, error) {
	p := Packet{ID: NoID}
	outer, err := u.next()
	if err != nil {
		return p, err
	}
	if outer.kind != msgpackMap {
		return p, malformed("no map")
	}
	var seen [len(members)]bool
	for range outer.count {
		name, err := u.next()
		if err != nil {
			return p, err
		}
		if name.kind != msgpackText {
			return p, malformed("a member whose name is no string")
		}
		m := slices.Index(members[:], string(name.bytes))
		switch {
		case m < 0:
			err = u.skip()
		case u.undefined():
		case seen[m]:
			err = malformed("two members %q", members[m])
		default:
			seen[m] = true
			err = u.member(&p, m)
		}
		if err != nil {
			return p, err
		}
	}
	if !seen[typeMember] || !seen[nspMember] {
		return p, malformed("no type or no namespace")
	}
	if (p.Type == Connect || p.Type == Disconnect) && string(p.Data) == "null" {
		p.Data = nil // so python-socketio writes that there is none
	}
	return p, nil
}

// member reads a packet's member.
func (u *unpacker) member(p *Packet, m int) error {
	if m == dataMember {
		from := len(u.text)
		err := u.value()
		p.Data = u.text[from:len(u.text):len(u.text)]
		return err
	}
	v, err := u.next()
	switch {
	case err != nil:
		return err
	case m == nspMember:
		return p.setNamespace(v)
	case v.kind != msgpackInt || v.number < 0:
		return malformed("%s is no number", members[m])
	case m == idMember && v.number >= 1e15: // maxIDDigits
		return malformed("ack id %d", v.number)
	case m == idMember:
		p.ID = v.number
	case v.number > int64(ConnectError): // what is binary is known by its data
		return malformed("unknown type %d", v.number)
	default:
		p.Type = Type(v.number)
	}
	return nil
}

func (p *Packet) setNamespace(v msgpackValue) error {
	name := string(v.bytes)
	if v.kind != msgpackText || !strings.HasPrefix(name, "/") || strings.Contains(name, ",") {
		return malformed("bad namespace")
	}
	p.Namespace, p.Query, _ = strings.Cut(name, "?")
	return nil
}

// AppendMsgpack appends p to dst as clients with socket.io-msgpack-parser read it, with each of attachments in the place of its
// placeholder. It is the reverse of [ParseMsgpack]. In a packet that is not of a binary type a placeholder is data. It fails where
// AppendText does, and if Data is not JSON.
func (p Packet) AppendMsgpack(dst []byte, attachments [][]byte) ([]byte, error) {
	if err := p.sendable(); err != nil {
		return dst, err
	}
	t, members := p.Type, byte(2)
	if t.Binary() {
		t -= BinaryEvent - Event
	} else {
		attachments = nil
	}
	if p.Data != nil {
		members++
	}
	if p.ID >= 0 {
		members++
	}
	k := packer{scanner: scanner{data: p.Data}, dst: append(dst, 0x80|members), attachments: attachments}
	k.string("type")
	k.int(int64(t))
	if p.Data != nil {
		k.string("data")
		if err := k.document(); err != nil {
			return dst, err
		}
	}
	if p.ID >= 0 {
		k.string("id")
		k.int(p.ID)
	}
	k.string("nsp")
	k.string(p.fullNamespace())
	return k.dst, nil
}

// fullNamespace returns the namespace with its query.
func (p Packet) fullNamespace() string {
	name := p.Namespace
	if name == "" {
		name = "/"
	}
	if p.Query != "" {
		name += "?" + p.Query
	}
	return name
}
