// Package bettertls pins Netflix's BetterTLS, whose cases of path building and name constraints test
// senim's pki:
//
//	make bettertls
//
// It is a module of its own: nobody who uses senim should download a suite for web clients.
package bettertls
