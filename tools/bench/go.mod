// Speed and timing, measured; a module of its own because what measures is no part of the product.
module senim/tools/bench

go 1.26.0

require senim v0.0.0

require golang.org/x/sys v0.49.0 // indirect

replace senim => ../..
