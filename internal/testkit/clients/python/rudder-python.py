import sys
#snippet

user = "rudder-python"
analytics.identify(user, {"email": "rudder-python@example.com", "plan": "pro"})
analytics.track(user, "Order Completed", {
    "order_id": "O-1", "revenue": 42.5, "currency": "EUR",
    "products": [{"product_id": "P1", "price": 42.5, "quantity": 1}],
})
analytics.flush()
analytics.page(user, None, "Sale")
analytics.screen(user, None, "Basket")
analytics.flush()
analytics.group(user, "g1", {"name": "Acme"})
analytics.alias("old-rudder-python", user)
analytics.flush()
sys.stdin.read()
