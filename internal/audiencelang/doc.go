// Package audiencelang is the text form of audiences: what people type, in the syntax of CEL.
//
//	events("Product Viewed", p.category == "tents").last("7d").count() >= 3
//	  && !events("Order Completed", p.category == "tents").last("30d").any()
//	  && score.discount_affinity.band == "high" && trait.plan in ["pro", "team"]
//
// Parse reads it into the tree of package audience, which is what is stored and evaluated; Format writes a tree as text. The two
// are each other's opposite but for the ids of conditions, which the text has not.
package audiencelang
