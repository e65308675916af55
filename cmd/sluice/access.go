package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"sluice/relay"
)

// maxTokenBytes bounds what is parsed as a token.
const maxTokenBytes = 8 << 10

// claims are what a token says: who it is for, until when, which rooms and what may be done there.
type claims struct {
	jwt.RegisteredClaims
	Name string   `json:"name,omitempty"`
	Room string   `json:"room"` // a name, or a prefix that ends in *
	Can  []string `json:"can"`  // of publish, subscribe, list, delete
}

// access decides who may do what, by tokens signed with a secret (HS256).
type access struct{ secret []byte }

// identify makes an identity of a token. None is a stranger, who will be refused what it asks for; a bad one is an error.
func (a access) identify(_ context.Context, token string) (relay.Identity, error) {
	if token == "" {
		return relay.Identity{}, nil
	}
	if len(token) > maxTokenBytes {
		return relay.Identity{}, relay.Errorf(relay.Unauthorized, "the token is longer than %d bytes", maxTokenBytes)
	}
	c := &claims{}
	_, err := jwt.ParseWithClaims(token, c, func(*jwt.Token) (any, error) { return a.secret, nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithExpirationRequired())
	if err != nil {
		return relay.Identity{}, relay.Errorf(relay.Unauthorized, "the token is not valid or has expired")
	}
	if err := relay.CheckName(c.Name); err != nil {
		return relay.Identity{}, err
	}
	return relay.Identity{Subject: c.Subject, Name: c.Name, Token: c}, nil
}

// authorize is relay.Hub's hook. A publisher may delete its own without a right to delete others'.
func (a access) authorize(_ context.Context, r relay.Request) error {
	c, ok := r.Identity.Token.(*claims)
	switch {
	case !ok:
		return relay.Errorf(relay.Unauthorized, "a token is needed")
	case !c.ExpiresAt.After(time.Now()):
		return relay.Errorf(relay.Unauthorized, "the token has expired")
	case !c.covers(r.Room):
		return relay.Errorf(relay.Forbidden, "the token is not for this room")
	}
	if right := rightFor(r.Action); !slices.Contains(c.Can, right) && !r.Own {
		return relay.Errorf(relay.Forbidden, "the token does not allow to %s", right)
	}
	return nil
}

// rightFor is the right that an action needs. Who joins a room reads it.
func rightFor(a relay.Action) string {
	if a == relay.Join {
		a = relay.Subscribe
	}
	return string(a)
}

func (c *claims) covers(room string) bool {
	if prefix, ok := strings.CutSuffix(c.Room, "*"); ok {
		return strings.HasPrefix(room, prefix)
	}
	return room == c.Room
}
