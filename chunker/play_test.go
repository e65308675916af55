package chunker

import (
	"bytes"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// ffmpeg decodes data and returns the checksums of the frames of its first stream of that kind ("v" or "a"). The tests
// need ffmpeg installed: what plays, and what does not, no other judge can say.
func ffmpeg(t *testing.T, data []byte, kind string) (frames []string) {
	t.Helper()
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Fatalf("this test decodes with ffmpeg, which is not installed: %v", err)
	}
	cmd := exec.Command(path, "-hide_banner", "-loglevel", "error", "-nostdin", "-threads", "1",
		"-i", "pipe:0", "-map", "0:"+kind+":0", "-f", "framemd5", "pipe:1")
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(data), &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("ffmpeg: %v\n%s", err, stderr.Bytes())
	}
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, "#") {
			frames = append(frames, line[strings.LastIndexByte(line, ',')+1:])
		}
	}
	return frames
}

// joins returns, for each key point, what a player that joins there gets: the last init segment before it, and all that
// follows.
func joins(data []byte, cuts []Cut) (all [][]byte) {
	var init []byte
	var begin int64
	for _, c := range cuts {
		switch c.Kind {
		case Init:
			begin = c.At
		case InitEnd:
			init = data[begin:c.At]
		case Key:
			all = append(all, slices.Concat(init, data[c.At:]))
		}
	}
	return all
}

func TestAPlayerMayJoinFilmAtEveryKeyPoint(t *testing.T) {
	for _, name := range []string{
		"vp8_opus.webm", "vp9_opus.webm", "av1.webm", "live_unknown_size.webm", "clip.mkv", "frag.mp4", "frag_cmaf.mp4", "clip.ts",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := sample(t, name)
			want := ffmpeg(t, data, "v")
			from := joins(data, cutsOf(t, Sniff(data).Type, data))
			if len(from) != 4 || len(want) != 60 {
				t.Fatalf("%d key points, %d frames; want one a second in 4 s, 60 frames", len(from), len(want))
			}
			for i, join := range from {
				if got := ffmpeg(t, join, "v"); !slices.Equal(got, want[15*i:]) {
					t.Errorf("key point %d: %d frames decoded; want the last %d, all alike", i, len(got), 60-15*i)
				}
			}
		})
	}
}

func TestAPlayerMayJoinSoundAtEveryKeyPoint(t *testing.T) {
	for _, name := range []string{"tone.ogg", "tone_vorbis.ogg", "tone.mp3", "tone.aac", "tone.flac", "tone.wav"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := sample(t, name)
			before := len(ffmpeg(t, data, "a")) + 1
			from := joins(data, cutsOf(t, Sniff(data).Type, data))
			if len(from) < 4 {
				t.Fatalf("%d key points; want 4 at least", len(from))
			}
			for i, join := range from {
				if i > 0 && len(join) < 1<<10 {
					continue // the last frame alone, of which ffmpeg cannot tell what it is
				}
				got := len(ffmpeg(t, join, "a"))
				if got == 0 || got >= before {
					t.Errorf("key point %d: %d frames decoded; want fewer than %d, and more than none", i, got, before)
				}
				before = got
			}
		})
	}
}

func TestFramesFromAFLACKeyPointAreTheSame(t *testing.T) {
	data := sample(t, "tone.flac")
	want := ffmpeg(t, data, "a")
	for i, join := range joins(data, cutsOf(t, "audio/flac", data)) {
		got := ffmpeg(t, join, "a")
		if len(got) > len(want) || !slices.Equal(got, want[len(want)-len(got):]) {
			t.Errorf("key point %d: %d frames differ from the last of the file", i, len(got))
		}
	}
}

func TestAPlayerMayJoinAfterAnEncoderBeganAnew(t *testing.T) {
	first, second := sample(t, "vp8_opus.webm"), sample(t, "live_unknown_size.webm")
	data := slices.Concat(first, second)
	cuts := cutsOf(t, "video/webm", data)
	if got, want := offsets(cuts, Init), []int64{0, int64(len(first))}; !slices.Equal(got, want) {
		t.Fatalf("init segments at %v; want %v", got, want)
	}
	from := joins(data, cuts)
	want := ffmpeg(t, second, "v")
	for i, join := range from[4:] {
		if got := ffmpeg(t, join, "v"); !slices.Equal(got, want[15*i:]) {
			t.Errorf("key point %d of the second: %d frames decoded; want the last %d", i, len(got), 60-15*i)
		}
	}
}
