// Package senim is the root of the module: it holds the test that keeps the tree.
//
// Senim is an open trust platform compatible with Kazakhstan's national PKI. Start with README.md
// to run it and with doc/design.md to understand it; the layers, and what may import what, stand
// in tree_test.go.
package senim
