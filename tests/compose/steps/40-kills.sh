# Every service killed and made anew, one after the other, under load
# shellcheck shell=bash disable=SC2154

for service in redis worker rabbitmq postgres ingress; do
  seed=40$(printf '%s' "$service" | wc -c)${#seeds[@]}
  load "$seed" 3000 100
  # From outside of the container, as a crash: Docker's own `kill` would count as an order to stay down.
  kill -9 "$(docker inspect -f '{{.State.Pid}}' "$(container $service)")"
  up
  say "$service killed, and there again by itself"
  recreate $service
  under_way "$seed" || say "(the load was over before $service was there again)"
  say "$service made anew"
  answered "$seed"
done
# The one place where a delivery can meet nobody. The sender repeats what was not answered, and so does this.
load 49 1000 100
recreate proxy
answered 49 "while the proxy itself is made anew nobody answers"
load 49 1000 400
answered 49
verified
