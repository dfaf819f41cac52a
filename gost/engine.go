package gost

// What follows chooses the engine of a curve's size. It is no interface: through one, every slice would have to
// live on the heap, and secrets would outlast the call there.

func (c *Curve) publicOf(d []byte) (xy []byte, ok bool) {
	if c.wide != nil {
		return c.wide.public(d)
	}
	return c.narrow.public(d)
}

func (c *Curve) onCurve(xy []byte) bool {
	if c.wide != nil {
		return c.wide.onCurve(xy)
	}
	return c.narrow.onCurve(xy)
}

func (c *Curve) inGroup(xy []byte) bool {
	if c.wide != nil {
		return c.wide.inGroup(xy)
	}
	return c.narrow.inGroup(xy)
}

func (c *Curve) reduce(k, wide []byte) bool {
	if c.wide != nil {
		return c.wide.reduce(k, wide)
	}
	return c.narrow.reduce(k, wide)
}

func (c *Curve) sign(sig, d, digest, k []byte) bool {
	if c.wide != nil {
		return c.wide.sign(sig, d, digest, k)
	}
	return c.narrow.sign(sig, d, digest, k)
}
