package desktop

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"
	"runtime"
)

// The colours of the mark.
var (
	calm = color.NRGBA{0x0b, 0x5d, 0x66, 0xff}
	soon = color.NRGBA{0xb4, 0x53, 0x09, 0xff}
)

// mark draws the seal with the keyhole, in the form the system's tray takes.
func mark(ink color.NRGBA) []byte {
	const size, centre = 64, 32.0
	picture := image.NewNRGBA(image.Rect(0, 0, size, size))
	for y := range size {
		for x := range size {
			dx, dy := float64(x)+0.5-centre, float64(y)+0.5-centre
			hole := dx*dx+(dy+6)*(dy+6) < 8*8 || dy > -4 && dy < 18 && abs(dx) < 4+dy/6
			if dx*dx+dy*dy < 30*30 && !hole {
				picture.SetNRGBA(x, y, ink)
			}
		}
	}
	var b bytes.Buffer
	if png.Encode(&b, picture) != nil {
		return nil
	}
	if runtime.GOOS != "windows" {
		return b.Bytes()
	}
	return ico(b.Bytes(), size)
}

// ico puts a PNG into the only container the Windows tray takes.
func ico(png []byte, size byte) []byte {
	const header = 6 + 16
	out := []byte{0, 0, 1, 0, 1, 0, size, size, 0, 0, 1, 0, 32, 0}
	out = binary.LittleEndian.AppendUint32(out, uint32(len(png)))
	out = binary.LittleEndian.AppendUint32(out, header)
	return append(out, png...)
}

func abs(f float64) float64 { return max(f, -f) }
