package snowplow

// commerceVendor is that of the schemas of Snowplow's plugin for commerce.
const commerceVendor = "com.snowplowanalytics.snowplow.ecommerce"

// actions are the names, in Segment's vocabulary, of what people do in a shop.
var actions = map[string]string{
	"list_view": "Product List Viewed", "list_click": "Product Clicked", "product_view": "Product Viewed",
	"add_to_cart": "Product Added", "remove_from_cart": "Product Removed",
	"checkout_step": "Checkout Step Viewed", "transaction": "Order Completed", "refund": "Order Refunded",
	"trns_error": "Transaction Failed", "promo_view": "Promotion Viewed", "promo_click": "Promotion Clicked",
}

// ofOne are the actions about one product.
var ofOne = map[string]bool{"list_click": true, "product_view": true, "add_to_cart": true, "remove_from_cart": true}

// commerce makes an event of the plugin for commerce: its action says what was done, and the entities beside it with what.
func commerce(e, action object, entities []described) {
	kind := textOf(action["type"])
	name, known := actions[kind]
	if !known {
		name = first(kind, "snowplow_ecommerce_action")
	}
	properties := object{}
	copyTo(properties, action, "name", "list")
	var products []any
	for i := range entities {
		fields := entities[i].fields()
		vendor, entity := entities[i].name()
		if vendor != commerceVendor || fields == nil {
			continue
		}
		switch entity {
		case "product":
			products = append(products, product(fields))
		case "cart":
			copyTo(properties, fields, "cart_id", "cart_id", "currency", "currency", "total_value", "value")
		case "checkout_step":
			copyTo(properties, fields, "step", "step", "payment_method", "payment_method", "coupon_code", "coupon")
			if textOf(fields["step"]) == "1" {
				name = "Checkout Started"
			}
		case "transaction": // its revenue is what was paid, with tax and shipping
			copyTo(properties, fields, "transaction_id", "order_id", "revenue", "total", "tax", "tax", "shipping", "shipping",
				"currency", "currency", "discount_code", "coupon", "discount_amount", "discount", "payment_method", "payment_method")
		case "refund":
			copyTo(properties, fields, "transaction_id", "order_id", "refund_amount", "refund_amount", "currency", "currency", "refund_reason", "reason")
		case "promotion":
			copyTo(properties, fields, "id", "promotion_id", "name", "name", "creative_id", "creative", "slot", "position")
		case "user":
			if email := textOf(fields["email"]); email != "" {
				e["context"] = withTrait(e["context"], "email", email)
			}
			if _, named := e["userId"]; !named && fields["is_guest"] != true {
				put(e, "userId", textOf(fields["id"]))
			}
		}
	}
	if len(products) > 0 {
		properties["products"] = products
	}
	if len(products) == 1 && ofOne[kind] {
		for name, value := range products[0].(object) {
			if _, taken := properties[name]; !taken {
				properties[name] = value
			}
		}
		delete(properties, "products")
	}
	track(e, name)
	e["properties"] = properties
}

// product is a product of Segment's vocabulary.
func product(fields object) object {
	p := object{}
	copyTo(p, fields, "id", "product_id", "name", "name", "category", "category", "price", "price", "quantity", "quantity",
		"variant", "variant", "brand", "brand", "position", "position", "currency", "currency")
	return p
}

// copyTo copies members; pairs are their names before and after. Members that are null or absent are left out.
func copyTo(to, from object, pairs ...string) {
	for i := 0; i+1 < len(pairs); i += 2 {
		if v := from[pairs[i]]; v != nil {
			to[pairs[i+1]] = v
		}
	}
}

// withTrait returns a context with a trait.
func withTrait(context any, name, value string) object {
	c, _ := context.(object)
	if c == nil {
		c = object{}
	}
	c["traits"] = object{name: value}
	return c
}
