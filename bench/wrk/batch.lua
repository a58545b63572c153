-- wrk script: batches of 100 new events of 20,000 people, of whom each also has a cookie of her own.
-- wrk -t1 -c4 -d60s --latency -s bench/wrk/batch.lua http://127.0.0.1:8080
local run, sent = tostring(os.time()), 0

request = function()
  local events = {}
  for i = 1, 100 do
    sent = sent + 1
    local person = math.random(20000)
    events[i] = string.format(
      '{"type":"track","messageId":"w%s-%d","userId":"cus_%d","anonymousId":"a%d","event":"Product Viewed",' ..
      '"properties":{"product_id":"p%d","category":"Living room","name":"Oak Side Table","price":32.23,"quantity":1},' ..
      '"context":{"library":{"name":"analytics.js","version":"2.11.1"},"page":{"path":"/p","url":"https://harbour.example/p"}}}',
      run, sent, person, person, math.random(5000))
  end
  return wrk.format("POST", "/v1/batch", {["Content-Type"] = "application/json"}, '{"batch":[' .. table.concat(events, ",") .. "]}")
end

-- A rejected event is an error too, although the request was answered.
local refused = 0
response = function(status, headers, body)
  if status ~= 200 or not body:find('"rejected":%[%]') then
    refused = refused + 1
    if refused == 1 then print("not taken: " .. status .. " " .. body) end
  end
end
