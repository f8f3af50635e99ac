module usernetes/build/metrics

go 1.26.0
