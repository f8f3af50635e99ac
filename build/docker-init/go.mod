module usernetes/build/docker-init

go 1.26
