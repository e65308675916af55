package lab

import (
	"net/http"
	"testing"
)

func TestTheServerIsTheSameAfterAKill(t *testing.T) {
	s := Sluice(t)
	url := s.URL
	for range 2 {
		healthy(t, url)
		if now, peak := s.RSS(); now <= 0 || peak < now {
			t.Errorf("RSS = %d, %d", now, peak)
		}
		s.Kill()
		s.Start()
	}
	if s.URL != url {
		t.Errorf("URL was %s, is %s", url, s.URL)
	}
	healthy(t, url)
}

func TestFlagsAreFoundInBothForms(t *testing.T) {
	otherwise := func() string { return "default" }
	for _, c := range []struct {
		flags []string
		want  string
	}{
		{nil, "default"},
		{[]string{"--data"}, "default"},
		{[]string{"--database=x"}, "default"},
		{[]string{"--open", "--data", "x"}, "x"},
		{[]string{"--data=x", "--open"}, "x"},
	} {
		if got := flagValue(c.flags, "--data", otherwise); got != c.want {
			t.Errorf("flagValue(%q) = %q; want %q", c.flags, got, c.want)
		}
	}
}

func healthy(t *testing.T, url string) {
	t.Helper()
	r, err := http.Get(url + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		t.Errorf("/healthz: %s", r.Status)
	}
}
