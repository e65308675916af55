package engine

// The types of Engine.IO packets: the first byte of a text.
const (
	typeOpen    = '0'
	typeClose   = '1'
	typePing    = '2'
	typePong    = '3'
	typeMessage = '4'
	typeUpgrade = '5'
	typeNoop    = '6'
	typeBinary  = 'b' // in a polling payload only: base64 follows
)

// The packets of an upgrade.
const (
	probePing = "2probe"
	probePong = "3probe"
	upgraded  = "5"
)
