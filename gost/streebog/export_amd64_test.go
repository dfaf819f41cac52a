//go:build !purego

package streebog

// Ways names the implementations this processor has, the best last.
func Ways() []string { return []string{"portable", "scalar", "vector"}[:fastest()+1] }

// Use chooses the one hashes are made with from now on, by its place in Ways.
func Use(i int) { best = way(i) }
