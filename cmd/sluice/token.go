package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"sluice/relay"
)

// Token is the command that signs a token.
type Token struct {
	Secret string        `required:"" env:"SLUICE_SECRET" placeholder:"TEXT" help:"What the server was given as --secret."`
	Room   string        `required:"" help:"The room it is for; a prefix that ends in * is for all that begin so."`
	Can    []string      `required:"" enum:"publish,subscribe,list,delete" placeholder:"RIGHT,..." help:"What it allows: publish, subscribe, list, delete."`
	Sub    string        `placeholder:"ID" help:"Whom it is for: uploads are resumed and deleted by the same."`
	Name   string        `help:"How others in the room see them."`
	TTL    time.Duration `name:"ttl" default:"1h" placeholder:"TIME" help:"How long it is valid (${default})."`
}

// Run prints the token.
func (t *Token) Run(env *Env) error {
	token, err := t.sign(time.Now())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(env.Stdout, token)
	return err
}

func (t *Token) sign(now time.Time) (string, error) {
	switch {
	case t.Secret == "":
		return "", errors.New("--secret is empty")
	case t.Room == "":
		return "", errors.New("--room is empty")
	case t.TTL <= 0:
		return "", fmt.Errorf("--ttl %v: the token would have expired already", t.TTL)
	}
	if err := relay.CheckName(t.Name); err != nil {
		return "", fmt.Errorf("--name: %w", err)
	}
	return jwt.NewWithClaims(jwt.SigningMethodHS256, &claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Subject:   t.Sub,
			IssuedAt:  jwt.NewNumericDate(now),
			ExpiresAt: jwt.NewNumericDate(now.Add(t.TTL)),
		},
		Name: t.Name, Room: t.Room, Can: t.Can,
	}).SignedString([]byte(t.Secret))
}
