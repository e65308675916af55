package host

import "testing"

func TestFieldIsWhatFollowsTheColon(t *testing.T) {
	const text = "processor\t: 0\nmodel name\t: A: processor\nmodel name\t: another\nMemTotal:  8 kB\n"
	for name, want := range map[string]string{"model name": "A: processor", "MemTotal": "8 kB", "model": ""} {
		if got := field(text, name); got != want {
			t.Errorf("field(%q) = %q; want %q", name, got, want)
		}
	}
}

func TestMachineIsDescribed(t *testing.T) {
	if m := Describe(t.Context()); m.Cores < 1 || m.Go == "" {
		t.Errorf("Describe = %+v", m)
	}
}
