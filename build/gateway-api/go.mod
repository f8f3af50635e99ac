module usernetes/build/gateway-api

go 1.26.0

// Its definitions are taken, none of its programs.
require sigs.k8s.io/gateway-api v1.6.3
