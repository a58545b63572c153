-- wrk script: profiles of the people of batch.lua.
-- wrk -t1 -c64 -d60s --latency -s bench/wrk/reads.lua http://127.0.0.1:8080
request = function()
  return wrk.format("GET", "/v1/profiles/user_id:cus_" .. math.random(20000))
end
