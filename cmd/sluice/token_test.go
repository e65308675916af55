package main

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"
)

// sluice runs a command in this process and returns what it printed.
func sluice(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	return sluiceWith(t.Context(), "", args...)
}

func sluiceWith(ctx context.Context, stdin string, args ...string) (stdout, stderr string, err error) {
	var out, errs bytes.Buffer
	err = run(ctx, args, strings.NewReader(stdin), &out, &errs)
	return out.String(), errs.String(), err
}

func TestATokenSaysWhatItWasSignedFor(t *testing.T) {
	out, _, err := sluice(t, "token", "--secret", string(testAccess.secret), "--room", "studio*", "--can", "publish,subscribe",
		"--sub", "ann", "--name", "Ann", "--ttl", "10m")
	if err != nil {
		t.Fatal(err)
	}
	who, err := testAccess.identify(t.Context(), strings.TrimSpace(out))
	if err != nil || who.Subject != "ann" || who.Name != "Ann" {
		t.Fatalf("identify = %+v, %v", who, err)
	}
	c := who.Token.(*claims)
	if left := time.Until(c.ExpiresAt.Time); left > 10*time.Minute || left < 9*time.Minute {
		t.Errorf("it is valid for %v; want 10m", left)
	}
	if c.Room != "studio*" || !slices.Equal(c.Can, []string{"publish", "subscribe"}) {
		t.Errorf("claims = %+v", c)
	}
}

func TestATokenThatCouldNotWorkIsNotSigned(t *testing.T) {
	for name, args := range map[string][]string{
		"no secret":     {"--room", "r", "--can", "publish"},
		"empty secret":  {"--secret", "", "--room", "r", "--can", "publish"},
		"no room":       {"--secret", "x", "--can", "publish"},
		"no rights":     {"--secret", "x", "--room", "r"},
		"unknown right": {"--secret", "x", "--room", "r", "--can", "publish,fly"},
		"past":          {"--secret", "x", "--room", "r", "--can", "publish", "--ttl", "-1s"},
		"bad name":      {"--secret", "x", "--room", "r", "--can", "publish", "--name", "a\nb"},
	} {
		if out, _, err := sluice(t, append([]string{"token"}, args...)...); err == nil || out != "" && !strings.HasPrefix(out, "Usage:") {
			t.Errorf("%s: printed %q, %v; want an error", name, out, err)
		}
	}
}
