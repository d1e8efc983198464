# Where no registry can be reached, images that stand for the official ones are made of Debian's packages.
# shellcheck shell=bash

standin() { # IMAGE FOLDER
  docker image inspect "$1" >/dev/null 2>&1 || docker pull -q "$1" >/dev/null 2>&1 || {
    say "$1 cannot be pulled: made of Debian's package"
    DOCKER_BUILDKIT=0 docker build -q -t "$1" "$here/standins/$2" >/dev/null || fail "no image $1"
  }
}
standin haproxy:3.2 haproxy
