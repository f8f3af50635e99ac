module usernetes/build/netcheck

go 1.26.0
