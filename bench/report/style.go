package report

import (
	"image/color"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// known are the peers in the order in which they are shown: ours first. Each has a style of its own in every report.
var known = []string{"sluice", "relay", limit, "pipe", "node", "zishang", "tus"}

// Rank is the place of a peer among the others.
func Rank(peer string) int {
	if i := slices.Index(known, peer); i >= 0 {
		return i
	}
	return len(known)
}

// style is how a peer is drawn.
type style struct {
	color  color.RGBA
	dashes []vg.Length
	glyph  draw.GlyphDrawer
}

// styles can be told apart by who does not see all colours, on white and on black: those of Okabe and Ito, the lighter ones
// darker. The shapes differ, too.
var styles = []style{
	{rgb(0x0072b2), nil, draw.CircleGlyph{}},
	{rgb(0x3fa2dd), dashed(6, 2), draw.RingGlyph{}},
	{rgb(0x808080), dashed(2, 2), draw.CrossGlyph{}},
	{rgb(0xb08a00), dashed(2, 4), draw.SquareGlyph{}},
	{rgb(0xd55e00), nil, draw.BoxGlyph{}},
	{rgb(0x009e73), nil, draw.TriangleGlyph{}},
	{rgb(0xb8608f), nil, draw.PyramidGlyph{}},
	{rgb(0x505050), nil, draw.PlusGlyph{}},
}

// style returns how a peer is drawn: those that are not known have the styles that are left, in turn.
func (r *Report) style(peer string) style {
	i := Rank(peer)
	for _, p := range r.Peers {
		if i < len(known) || p.Name == peer {
			break
		}
		if Rank(p.Name) == len(known) {
			i++
		}
	}
	if i >= len(styles) {
		i = len(known) + (i-len(known))%(len(styles)-len(known))
	}
	return styles[i]
}

func rgb(hex uint32) color.RGBA {
	return color.RGBA{R: uint8(hex >> 16), G: uint8(hex >> 8), B: uint8(hex), A: 255}
}

func dashed(lengths ...vg.Length) []vg.Length { return lengths }
