//go:build !amd64 || purego

package streebog

// Ways names the implementations: there is one.
func Ways() []string { return []string{"portable"} }

// Use chooses among Ways.
func Use(int) {}
