package admin_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"sluice/internal/lab"
	"sluice/sio"
	"sluice/sio/admin"
)

// onOurs is testdata/server.mjs on our server.
func onOurs(t *testing.T) (url string) {
	t.Helper()
	io := &sio.Server{}
	ui := admin.Instrument(io, admin.Options{Open: true, Verbose: true, ServerID: "one"})
	t.Cleanup(ui.Close)
	ns := io.Of("/")
	ns.On("enter", func(e *sio.Event) {
		var room string
		if e.Decode(0, &room) != nil {
			return
		}
		e.Socket.Join(room)
		e.Socket.SetData(map[string]string{"name": "Ada"})
		e.Socket.Emit("welcome", map[string]string{"to": room}, 1)
		e.Ack()
	})
	ns.On("go", func(e *sio.Event) {
		var room string
		if e.Decode(0, &room) != nil {
			return
		}
		e.Socket.Leave(room)
		e.Socket.Disconnect(false)
	})
	return serve(t, io)
}

// story is what a page is told by a server while a client comes, does something and goes.
func story(t *testing.T, url string) []string {
	t.Helper()
	return strings.Split(strings.TrimSpace(string(lab.Node(t, "story.mjs", "URL="+url))), "\n")
}

// chance is what differs between two runs, or two machines.
var chance = regexp.MustCompile(`("(?:clientId|hostname|issued|pid|time|uptime|sec-websocket-key|host)":)("[^"]*"|[\d.]+)|"\d{4}-\d\d-\d\dT[\d:.]+Z"|("aggregatedEvents":)\[[^\]]*\]`)

func TestAPageIsToldWhatNodesServerTells(t *testing.T) {
	var told [2][]string
	for i, url := range []string{onOurs(t), "http://127.0.0.1:" + lab.StartNode(t, "server.mjs").Line()} {
		for _, line := range story(t, url) {
			line = chance.ReplaceAllString(line, "$1$3*")
			switch {
			case strings.HasPrefix(line, `["room_joined","/admin"`), strings.HasPrefix(line, `["socket_connected"`) && strings.Contains(line, "PAGE"):
				// Node's server tells a page of itself before the page has joined.
			default:
				told[i] = append(told[i], line)
			}
		}
	}
	ours, nodes := told[0], told[1]
	const first, last = 3, 3 // are told in no order that matters: what there is, and the end
	for _, lines := range told {
		if len(lines) > first+last {
			slices.Sort(lines[:first])
			slices.Sort(lines[len(lines)-last:])
		}
	}
	if !slices.Equal(ours, nodes) {
		t.Errorf("our server tells\n%s\nNode's tells\n%s", strings.Join(ours, "\n"), strings.Join(nodes, "\n"))
	}
}
