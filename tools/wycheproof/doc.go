// Package wycheproof holds senim's RSA signatures against the vectors of C2SP/wycheproof:
//
//	cd tools/wycheproof && go test -tags wycheproof -v
//
// It is a module of its own, behind a build tag, because the vectors are 107 MB that no user of
// senim should download.
package wycheproof
