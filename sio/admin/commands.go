package admin

import (
	"errors"

	"sluice/sio"
)

// obey handles the commands of pages. What is wrong with one is logged.
func (ui *UI) obey() {
	ui.command("emit", ui.emit)
	ui.command("join", ui.join)
	ui.command("leave", ui.leave)
	ui.command("_disconnect", ui.disconnect)
}

func (ui *UI) command(name string, do func(e *sio.Event) error) {
	ui.ns.On(name, func(e *sio.Event) {
		err := do(e)
		ui.log(e.Socket).Info("admin: command", "command", name, "namespace", cut(string(e.Raw(0))), "what", cut(string(e.Raw(1))),
			"whom", cut(string(e.Raw(2))), "err", err)
	})
}

// emit is emit(namespace, room, event, args...).
func (ui *UI) emit(e *sio.Event) error {
	to, err := ui.audience(e, 0, 1)
	if err != nil {
		return err
	}
	var event string
	if err := e.Decode(2, &event); err != nil {
		return err
	}
	raw, attachments := e.Split()
	return to.Send(sio.PrepareArgs(event, sio.NewArgs(raw[3:], attachments)))
}

// join is join(namespace, room, among).
func (ui *UI) join(e *sio.Event) error {
	to, err := ui.audience(e, 0, 2)
	if err != nil {
		return err
	}
	room, err := roomOf(e)
	if err != nil {
		return err
	}
	return to.SocketsJoin(room)
}

// leave is leave(namespace, room, among).
func (ui *UI) leave(e *sio.Event) error {
	to, err := ui.audience(e, 0, 2)
	if err != nil {
		return err
	}
	room, err := roomOf(e)
	if err != nil {
		return err
	}
	return to.SocketsLeave(room)
}

// disconnect is _disconnect(namespace, whole connection, among).
func (ui *UI) disconnect(e *sio.Event) error {
	to, err := ui.audience(e, 0, 2)
	if err != nil {
		return err
	}
	var closeConn bool
	if err := e.Decode(1, &closeConn); err != nil {
		return err
	}
	return to.DisconnectSockets(closeConn)
}

func roomOf(e *sio.Event) (room string, err error) {
	if err := e.Decode(1, &room); err != nil {
		return "", err
	}
	if room == "" {
		return "", errors.New("no room given")
	}
	return room, nil
}

// audience returns whom a command is for: those in the room that an argument names, or all of the namespace if there is none
// given.
func (ui *UI) audience(e *sio.Event, namespace, room int) (to sio.Audience, err error) {
	var name, among string
	if err := e.Decode(namespace, &name); err != nil {
		return to, err
	}
	if room < e.NumArgs() {
		if err := e.Decode(room, &among); err != nil {
			return to, err
		}
	}
	for _, ns := range ui.io.Namespaces() { // Of would make one
		switch {
		case ns.Name() != name:
		case among == "":
			return ns.To(), nil
		default:
			return ns.To(among), nil
		}
	}
	return to, errors.New("no such namespace")
}
