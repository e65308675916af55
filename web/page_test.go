package web

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"sluice/internal/lab"
)

// sample is one of the real media files that chunker is tested with.
func sample(t *testing.T, name string) string {
	t.Helper()
	file, err := filepath.Abs(filepath.Join("..", "chunker", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestWhatOneChoosesOthersSeeAsWhatItIs(t *testing.T) {
	s := lab.Sluice(t)
	notes := filepath.Join(t.TempDir(), "notes <b>.txt")
	if err := os.WriteFile(notes, []byte("the gate opens at six"), 0o600); err != nil {
		t.Fatal(err)
	}
	tabs := newTabs(t, "Mara", "Tomás")
	mara, tomas := tabs[0], tabs[1]
	mara.enter(s, "garden")
	tomas.enter(s, "garden")
	mara.choose(sample(t, "photo.jpg"), sample(t, "vp9_opus.webm"), sample(t, "tone.ogg"), notes)

	seen := func(p *tab) {
		p.t.Helper()
		p.wait(`document.querySelectorAll(".entry[data-state=archived]").length === 4`)
		p.wait(`%s?.naturalWidth > 0`, within("photo.jpg", "img"))
		p.wait(`%s?.videoWidth > 0`, within("vp9_opus.webm", "video[controls]"))
		p.wait(`%s?.duration > 0`, within("tone.ogg", "audio[controls]"))
		got := run[string](p, `fetch(%s.href).then(async (r) => r.headers.get("Content-Disposition").split(";")[0] + ": " + await r.text())`,
			within("notes <b>.txt", ".frame a"))
		if want := "attachment: the gate opens at six"; got != want {
			p.t.Errorf("%s: the text file downloads as %q; want %q", p.name, got, want)
		}
	}
	seen(mara)
	seen(tomas)
	tomas.wait(`%s.textContent === "Mara"`, within("photo.jpg", ".entry-by"))
	mara.wait(`%s.textContent === "You"`, within("photo.jpg", ".entry-by"))

	tomas.do(chromedp.Reload())
	tomas.waitConnected()
	seen(tomas)
}

func TestPeopleComeAndGo(t *testing.T) {
	s := lab.Sluice(t)
	tabs := newTabs(t, "Mara", "Tomás")
	mara, tomas := tabs[0], tabs[1]
	const people = `[...document.querySelectorAll(".person-name")].map((p) => p.textContent).join() === %s`
	mara.enter(s, "garden")
	mara.wait(people, js("Mara (you)"))
	tomas.enter(s, "garden")
	tomas.wait(people, js("Tomás (you),Mara"))
	mara.wait(people, js("Mara (you),Tomás"))
	mara.wait(`document.querySelector("#news").textContent === "Tomás is here"`)
	tomas.do(chromedp.Navigate("about:blank"))
	mara.wait(people, js("Mara (you)"))
}

// stall has the page read no more than this many bytes of files until window.release is called: an upload then stands still
// at a known place.
const stall = `{
	const read = Blob.prototype.arrayBuffer;
	let left = %d;
	const released = new Promise((resolve) => (window.release = resolve));
	Blob.prototype.arrayBuffer = async function () {
		left -= this.size;
		if (left < 0) await released;
		return read.call(this);
	};
}`

// dropFile drops a file of so many bytes on the page.
const dropFile = `{
	const data = new DataTransfer();
	data.items.add(new File([new Uint8Array(%d).fill(7)], %s));
	for (const type of ["dragenter", "dragover", "drop"]) {
		document.querySelector("#drop").dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
	}
}`

func TestProgressIsShownOnBothSides(t *testing.T) {
	const mb = 1_000_000
	s := lab.Sluice(t)
	tabs := newTabs(t, "Mara", "Tomás")
	mara, tomas := tabs[0], tabs[1]
	for name, size := range map[string]int{
		"small.bin": 6 * mb,  // whose bytes the others are sent
		"large.bin": 12 * mb, // and whose bytes they are not
	} {
		mara.enter(s, name+" in a room of its own")
		tomas.enter(s, name+" in a room of its own")
		run[any](mara, stall, size/2)
		run[any](mara, dropFile, size, js(name))
		for _, p := range tabs {
			p.wait(`%s?.value > 0.3 && %s.value <= 0.5`, within(name, "progress"), within(name, "progress"))
			p.wait(`/^\d.* of %d\.?0* MB · (3|4|5)\d %%/.test(%s.textContent)`, size/mb, within(name, ".frame-amount"))
		}
		run[any](mara, `window.release()`)
		for _, p := range tabs {
			p.wait(`%s.dataset.state === "archived" && %s.hidden && %s`, entry(name), within(name, "progress"), within(name, ".frame a"))
		}
	}
}

func TestAnUploadGoesOnWhenTheServerComesBack(t *testing.T) {
	s := lab.Sluice(t)
	tabs := newTabs(t, "Mara", "Tomás")
	mara, tomas := tabs[0], tabs[1]
	mara.enter(s, "garden")
	tomas.enter(s, "garden")
	run[any](mara, stall, 3_000_000)
	run[any](mara, dropFile, 6_000_000, js("film.bin"))
	tomas.wait(`%s?.value > 0.4`, within("film.bin", "progress"))
	s.Kill()
	mara.wait(`%s.dataset.state === "paused" && document.querySelector("#status").dataset.state === "waiting"`, entry("film.bin"))
	s.Start()
	run[any](mara, `window.release()`)
	for _, p := range tabs {
		p.wait(`%s?.dataset.state === "archived"`, entry("film.bin"))
		p.waitConnected()
	}
	if n := run[int](tomas, `document.querySelectorAll(".entry").length`); n != 1 {
		t.Errorf("%d entries after the upload went on; want 1", n)
	}
	sum := run[int](tomas, `fetch(%s.href).then((r) => r.arrayBuffer()).then((b) => new Uint8Array(b).reduce((n, byte) => n + byte, 0))`,
		within("film.bin", ".frame a"))
	if want := 7 * 6_000_000; sum != want {
		t.Errorf("the bytes add up to %d; want %d", sum, want)
	}
}

func TestAnUploadCanBeCancelledAndWhatIsOursDeleted(t *testing.T) {
	s := lab.Sluice(t)
	tabs := newTabs(t, "Mara", "Tomás")
	mara, tomas := tabs[0], tabs[1]
	mara.enter(s, "garden")
	tomas.enter(s, "garden")
	run[any](mara, stall, 1_000_000)
	run[any](mara, dropFile, 2_000_000, js("mistake.bin"))
	tomas.wait(`%s?.value > 0.2`, within("mistake.bin", "progress"))
	run[any](mara, `%s.click()`, within("mistake.bin", ".entry-cancel"))
	mara.wait(`!%s`, entry("mistake.bin"))
	tomas.wait(`/gave it up/.test(%s.textContent)`, within("mistake.bin", ".entry-error"))
	run[any](mara, `window.release()`)

	mara.choose(sample(t, "image.png"))
	for _, p := range tabs {
		p.wait(`%s?.naturalWidth > 0`, within("image.png", "img"))
	}
	if !run[bool](tomas, `%s.hidden`, within("image.png", ".entry-delete")) {
		t.Error("what others have sent can be deleted")
	}
	run[any](mara, `%s.click()`, within("image.png", ".entry-delete"))
	mara.wait(`/everybody/.test(%s.textContent)`, within("image.png", ".entry-delete"))
	run[any](mara, `%s.click()`, within("image.png", ".entry-delete"))
	for _, p := range tabs {
		p.wait(`!%s`, entry("image.png"))
	}
}

func TestAFileThatIsTooLargeSaysSo(t *testing.T) {
	s := lab.Sluice(t, "--max-upload=1MB")
	mara := newTabs(t, "Mara")[0]
	mara.enter(s, "garden")
	run[any](mara, dropFile, 1_200_000, js("film.bin"))
	mara.wait(`/At most 1\.00 MB/.test(%s.textContent) && !%s.hidden`, within("film.bin", ".entry-error"), within("film.bin", ".entry-error"))
	mara.wait(`!%s.hidden`, within("film.bin", ".entry-again"))
}

func TestATokenThatIsRefusedLeadsBackToTheDoor(t *testing.T) {
	s := lab.Sluice(t, "--secret=between the two of us")
	mara := newTabs(t, "Mara")[0]
	for _, query := range []string{"?room=garden", "?room=garden&token=nonsense"} {
		mara.do(chromedp.Navigate(s.URL + "/" + query))
		mara.wait(`document.querySelector("#door")?.hidden === false && document.querySelector("#room").hidden`)
		mara.wait(`/token.*Enter a valid token/.test(document.querySelector("#enter-error").textContent)`)
		mara.wait(`document.activeElement.name === "token" && location.search === "?room=garden"`)
	}
}

func TestFilesArePasted(t *testing.T) {
	s := lab.Sluice(t)
	mara := newTabs(t, "Mara")[0]
	mara.enter(s, "garden")
	run[any](mara, `{
		const data = new DataTransfer();
		data.items.add(new File(["pasted"], "clip.txt", { type: "text/plain" }));
		document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data }));
	}`)
	mara.wait(`%s?.dataset.state === "archived"`, entry("clip.txt"))
}

func TestAnUploadThatIsSlowedDownSaysSoAndGoesOn(t *testing.T) {
	s := lab.Sluice(t, "--max-rate", "100KB")
	mara := newTabs(t, "Mara")[0]
	mara.enter(s, "garden")
	mara.choose(write(t, t.TempDir(), "long.bin", make([]byte, 300_000)))
	mara.wait(`[...document.querySelectorAll(".notice")].some((n) => /read no faster\.\s*Nothing is lost/.test(n.textContent))`)
	mara.wait(`document.querySelector(".entry[data-state=archived]")`)
}
