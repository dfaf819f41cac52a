package group

import "senim/gost/internal/field"

// addAnyA sets r to p + q on a curve of any a: algorithm 1 of ePrint 2015/1060. It doubles too.
func (c *Curve256) addAnyA(r, p, q *Point256) {
	var t0, t1, t2, t3, t4, t5, x, y, z field.Element256
	t0.Mul(&p.x, &q.x)
	t1.Mul(&p.y, &q.y)
	t2.Mul(&p.z, &q.z)
	t3.Add(&p.x, &p.y)
	t4.Add(&q.x, &q.y)
	t3.Mul(&t3, &t4)
	t4.Add(&t0, &t1)
	t3.Sub(&t3, &t4)
	t4.Add(&p.x, &p.z)
	t5.Add(&q.x, &q.z)
	t4.Mul(&t4, &t5)
	t5.Add(&t0, &t2)
	t4.Sub(&t4, &t5)
	t5.Add(&p.y, &p.z)
	x.Add(&q.y, &q.z)
	t5.Mul(&t5, &x)
	x.Add(&t1, &t2)
	t5.Sub(&t5, &x)
	z.Mul(&c.a, &t4)
	x.Mul(&c.b3, &t2)
	z.Add(&x, &z)
	x.Sub(&t1, &z)
	z.Add(&t1, &z)
	y.Mul(&x, &z)
	t1.Add(&t0, &t0)
	t1.Add(&t1, &t0)
	t2.Mul(&c.a, &t2)
	t4.Mul(&c.b3, &t4)
	t1.Add(&t1, &t2)
	t2.Sub(&t0, &t2)
	t2.Mul(&c.a, &t2)
	t4.Add(&t4, &t2)
	t0.Mul(&t1, &t4)
	y.Add(&y, &t0)
	t0.Mul(&t5, &t4)
	x.Mul(&t3, &x)
	x.Sub(&x, &t0)
	t0.Mul(&t3, &t1)
	z.Mul(&t5, &z)
	z.Add(&z, &t0)
	r.x, r.y, r.z = x, y, z
}
