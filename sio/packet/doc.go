// Package packet turns Socket.IO 5 packets into text and attachments, and back. It is pure: no I/O, no
// goroutine, no clock.
//
// A packet is one text message,
//
//	<type>[<attachments>-][<namespace>,][<ack id>][<JSON>]
//
// followed, when it is binary, by its attachments, one binary message each. Inside the JSON an attachment
// is a placeholder, {"_placeholder":true,"num":0}. [Parse] reads the text, [Packet.AppendText] writes it:
//
//	p, err := packet.Parse([]byte(`51-/chat,7["photo",{"_placeholder":true,"num":0}]`))
//	// p.Type == packet.BinaryEvent, p.Attachments == 1, p.Namespace == "/chat", p.ID == 7
//
// [Marshal] and [Unmarshal] are encoding/json with []byte travelling as attachments, wherever it sits.
//
// Parse accepts what Socket.IO's own parser accepts, less what only a broken or hostile peer sends: every
// attachment is referenced by exactly one placeholder, nesting and arguments are bounded ([MaxDepth],
// [MaxArgs]), and counts are plain decimal numbers. It works in one pass and allocates nothing that a peer
// could make grow.
//
// [ParseMsgpack] and [Packet.AppendMsgpack] do the same for clients with socket.io-msgpack-parser, which put a whole
// packet in one binary message. They transcode: whoever reads a Packet and its attachments need not know how it came.
//
// The format is described at https://github.com/socketio/socket.io-protocol, revision 5.
package packet
