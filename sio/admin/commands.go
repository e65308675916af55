package admin

import (
	"errors"
	"slices"

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
	to, err := ui.audience(e, 1)
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
	to, err := ui.audience(e, 2)
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
	to, err := ui.audience(e, 2)
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
	to, err := ui.audience(e, 2)
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

// audience returns whom a command is for: those of the namespace that its first argument names who are in the room that another
// names, or all if that is none.
func (ui *UI) audience(e *sio.Event, room int) (to sio.Audience, err error) {
	var name, among string
	if err := e.Decode(0, &name); err != nil {
		return to, err
	}
	if room < e.NumArgs() {
		if err := e.Decode(room, &among); err != nil {
			return to, err
		}
	}
	all := ui.io.Namespaces()
	i := slices.IndexFunc(all, func(ns *sio.Namespace) bool { return ns.Name() == name })
	switch {
	case i < 0: // Of would make one
		return to, errors.New("no such namespace")
	case among == "":
		return all[i].To(), nil
	}
	return all[i].To(among), nil
}
