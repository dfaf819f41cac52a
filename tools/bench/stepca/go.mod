module senim/tools/bench/stepca

go 1.26.0

require github.com/smallstep/certificates v0.28.4
