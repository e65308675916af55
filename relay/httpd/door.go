package httpd

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"sluice/relay"
)

// Door serves /media/{stream} and /rooms/{room}. Mount it at both.
type Door struct {
	Hub *relay.Hub

	// CheckOrigin decides about requests from a web page of another origin, which then may read the answers. nil refuses
	// them all.
	CheckOrigin func(*http.Request) bool

	// CrossOrigin lets pages of other origins show media, for which browsers send no Origin.
	CrossOrigin bool
}

const (
	defaultList = 50
	maxList     = 500
)

// ServeHTTP answers one request. Errors are JSON, as in the acknowledgements of the Socket.IO door.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if d.CrossOrigin {
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	}
	h.Add("Vary", "Origin")
	if !d.admit(w, r) {
		fail(w, relay.Errorf(relay.Forbidden, "pages of this origin may not use this server"))
		return
	}
	if err := d.route(w, r); err != nil {
		fail(w, d.told(r, err))
	}
}

// told logs what the asker is not told.
func (d *Door) told(r *http.Request, err error) *relay.Error {
	why := relay.AsError(err)
	if why.Code == relay.Internal && r.Context().Err() == nil { // else the asker has gone
		d.Hub.Log().Error("request", "path", r.URL.Path, "err", err)
	}
	return why
}

// admit decides by the Origin, and lets a page of another one that may read the answer do so.
func (d *Door) admit(w http.ResponseWriter, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if u, err := url.Parse(origin); origin == "" || err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host) {
		return true
	}
	if d.CheckOrigin == nil || !d.CheckOrigin(r) {
		return false
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", "Content-Disposition, Content-Range, ETag")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	return true
}

// route finds what answers the request; errors become the response.
func (d *Door) route(w http.ResponseWriter, r *http.Request) error {
	if r.Method == http.MethodOptions {
		return preflight(w)
	}
	if id, ok := strings.CutPrefix(r.URL.Path, "/media/"); ok {
		switch r.Method {
		case http.MethodGet, http.MethodHead:
			return d.media(w, r, id)
		case http.MethodDelete:
			return d.delete(w, r, id)
		}
		return notAllowed(w, "GET, HEAD, DELETE")
	}
	if room, ok := strings.CutPrefix(r.URL.Path, "/rooms/"); ok {
		switch r.Method {
		case http.MethodGet, http.MethodHead:
			return d.room(w, r, room)
		}
		return notAllowed(w, "GET, HEAD")
	}
	return relay.Errorf(relay.NotFound, "nothing is here")
}

func preflight(w http.ResponseWriter) error {
	h := w.Header()
	if h.Get("Access-Control-Allow-Origin") != "" {
		h.Set("Access-Control-Allow-Methods", "GET, HEAD, DELETE")
		h.Set("Access-Control-Allow-Headers", "Authorization, Range, If-Range")
		h.Set("Access-Control-Max-Age", "600")
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// notAllowed is the refusal of a method; the Allow header makes its status 405.
func notAllowed(w http.ResponseWriter, methods string) error {
	w.Header().Set("Allow", methods)
	return relay.Errorf(relay.BadRequest, "only %s", methods)
}

// who finds out who asks, by the Authorization header or the query's token.
func (d *Door) who(r *http.Request) (relay.Identity, error) {
	if d.Hub.Identify == nil {
		return relay.Identity{}, nil
	}
	token := r.URL.Query().Get("token")
	if scheme, t, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Bearer") {
		token = t
	}
	return d.Hub.Identify(r.Context(), token)
}

func (d *Door) delete(w http.ResponseWriter, r *http.Request, id string) error {
	who, err := d.who(r)
	if err != nil {
		return err
	}
	if err := d.Hub.Delete(r.Context(), id, who); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// roomBody is a room as JSON: who is there now, and its streams, newest first.
type roomBody struct {
	Room    string       `json:"room"`
	Members []memberBody `json:"members"`
	Streams []relay.Info `json:"streams"`
}

type memberBody struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

func (d *Door) room(w http.ResponseWriter, r *http.Request, room string) error {
	who, err := d.who(r)
	if err != nil {
		return err
	}
	limit, err := listLimit(r)
	if err != nil {
		return err
	}
	view, err := d.Hub.Look(r.Context(), room, who)
	if err != nil {
		return err
	}
	infos, err := d.Hub.List(r.Context(), room, r.URL.Query().Get("before"), limit, who)
	if err != nil {
		return err
	}
	body := roomBody{Room: room, Members: []memberBody{}, Streams: append([]relay.Info{}, infos...)}
	for _, m := range view.Members {
		body.Members = append(body.Members, memberBody{ID: m.ID, Name: m.Name})
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, body)
	return nil
}

func listLimit(r *http.Request) (int, error) {
	s := r.URL.Query().Get("limit")
	if s == "" {
		return defaultList, nil
	}
	limit, err := strconv.Atoi(s)
	if err != nil || limit < 1 || limit > maxList {
		return 0, &relay.Error{Code: relay.BadRequest, Message: "limit is 1 to 500", Limit: maxList}
	}
	return limit, nil
}

var statuses = map[relay.Code]int{
	relay.BadRequest:   http.StatusBadRequest,
	relay.Unauthorized: http.StatusUnauthorized,
	relay.Forbidden:    http.StatusForbidden,
	relay.NotFound:     http.StatusNotFound,
	relay.Conflict:     http.StatusConflict,
	relay.TooLarge:     http.StatusRequestEntityTooLarge,
	relay.TooMany:      http.StatusTooManyRequests,
	relay.Gone:         http.StatusGone,
	relay.Unavailable:  http.StatusServiceUnavailable,
	relay.Internal:     http.StatusInternalServerError,
}

// errorBody is what an error looks like.
type errorBody struct {
	OK    bool `json:"ok"`
	Error struct {
		Code    relay.Code `json:"code"`
		Message string     `json:"message"`
		Limit   int64      `json:"limit,omitempty"`
	} `json:"error"`
}

// fail answers with why.
func fail(w http.ResponseWriter, why *relay.Error) {
	var body errorBody
	body.Error.Code, body.Error.Message, body.Error.Limit = why.Code, why.Message, why.Limit
	h := w.Header()
	if why.Code == relay.Unauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
	status := statuses[why.Code]
	if h.Get("Allow") != "" {
		status = http.StatusMethodNotAllowed
	}
	for _, name := range []string{"Content-Disposition", "Content-Length", "Content-Encoding", "ETag", "Last-Modified"} {
		h.Del(name)
	}
	h.Set("Cache-Control", "no-store")
	writeJSON(w, status, body)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// An error here is the client's going away: nobody is left to be told.
	_ = json.NewEncoder(w).Encode(v)
}
