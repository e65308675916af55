package client

import (
	"encoding/json"
	"strings"
	"testing"

	"sluice/internal/lab"
)

// nodeServer is Node's Socket.IO server with the events of testdata/server.js.
type nodeServer struct {
	url string
	*lab.NodeServer
}

// startNode starts a server with the given options of socket.io.
func startNode(t *testing.T, options map[string]any) *nodeServer {
	t.Helper()
	arg, err := json.Marshal(options)
	if err != nil {
		t.Fatal(err)
	}
	s := &nodeServer{NodeServer: lab.StartNode(t, "server.js", string(arg))}
	s.url = "http://127.0.0.1:" + strings.TrimPrefix(s.Line(), "port ")
	return s
}
