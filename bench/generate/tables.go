package generate

// A name is how a person writes it, as JSON text, and what it becomes in an address.
type name struct{ text, address string }

// First and last names that break careless readers: letters beyond ASCII, an escape (\u00e9), an apostrophe, a hyphen,
// several words. A name is drawn by its index, so an entry added, removed or moved changes the bytes of a stream and
// needs another streamVersion (G1).
var firstNames = [...]name{
	{`"Maria"`, "maria"},
	{`"James"`, "james"},
	{`"Zoë"`, "zoe"},
	{`"Liam"`, "liam"},
	{`"Olivia"`, "olivia"},
	{`"Noah"`, "noah"},
	{`"Jos\u00e9"`, "jose"},
	{`"Emma"`, "emma"},
	{`"Mei"`, "mei"},
	{`"Priya"`, "priya"},
	{`"Ahmed"`, "ahmed"},
	{`"Sofia"`, "sofia"},
	{`"Lucas"`, "lucas"},
	{`"Hannah"`, "hannah"},
	{`"Jürgen"`, "juergen"},
	{`"Ingrid"`, "ingrid"},
	{`"Kofi"`, "kofi"},
	{`"Amara"`, "amara"},
	{`"Dmitri"`, "dmitri"},
	{`"Yuki"`, "yuki"},
	{`"François"`, "francois"},
	{`"Chloe"`, "chloe"},
	{`"Ethan"`, "ethan"},
	{`"Grace"`, "grace"},
	{`"Leila"`, "leila"},
	{`"Tomás"`, "tomas"},
	{`"Nora"`, "nora"},
	{`"Samuel"`, "samuel"},
	{`"Aisha"`, "aisha"},
	{`"Victor"`, "victor"},
	{`"Anne-Marie"`, "anne-marie"},
	{`"Oscar"`, "oscar"},
}

var lastNames = [...]name{
	{`"Garcia"`, "garcia"},
	{`"Smith"`, "smith"},
	{`"O'Brien"`, "obrien"},
	{`"Nguyen"`, "nguyen"},
	{`"Müller"`, "mueller"},
	{`"Johnson"`, "johnson"},
	{`"Kowalski"`, "kowalski"},
	{`"Rossi"`, "rossi"},
	{`"Patel"`, "patel"},
	{`"Okafor"`, "okafor"},
	{`"Lindqvist"`, "lindqvist"},
	{`"Haddad"`, "haddad"},
	{`"Tanaka"`, "tanaka"},
	{`"Fernández"`, "fernandez"},
	{`"Brown"`, "brown"},
	{`"Dubois"`, "dubois"},
	{`"Ivanova"`, "ivanova"},
	{`"Kim"`, "kim"},
	{`"de la Cruz"`, "delacruz"},
	{`"Walker"`, "walker"},
	{`"Çelik"`, "celik"},
	{`"Jensen"`, "jensen"},
	{`"Mbeki"`, "mbeki"},
	{`"Silva"`, "silva"},
	{`"Novák"`, "novak"},
	{`"Wright"`, "wright"},
	{`"Cohen"`, "cohen"},
	{`"Andersson"`, "andersson"},
	{`"Reyes"`, "reyes"},
	{`"Schäfer"`, "schaefer"},
	{`"Moreau"`, "moreau"},
	{`"Young"`, "young"},
}

// Hosts of own and of work addresses are apart, and of names that belong to nobody.
var (
	mailHosts = [...]string{"mail.example", "post.example", "inbox.example", "webmail.example", "family.example", "fastmail.example"}
	workHosts = [...]string{"northwind.example", "initech.example", "lumen-studio.example", "harbour.example"}
)

// Area codes of the United States; 64 of them, a factor of phoneNumbers. appendPhone takes the index from the number.
var areaCodes = [64]uint16{
	201, 202, 203, 205, 206, 207, 208, 209, 210, 212, 213, 214, 215, 216, 217, 218,
	301, 302, 303, 304, 305, 307, 308, 309, 310, 312, 313, 314, 315, 316, 317, 318,
	401, 402, 404, 405, 406, 407, 408, 409, 410, 412, 413, 414, 415, 417, 419, 423,
	501, 502, 503, 504, 505, 507, 508, 509, 510, 512, 513, 515, 516, 517, 518, 520,
}

// Values of the trait address: objects, with members in alphabetical order and no white space.
var cities = [...]string{
	`{"city":"Portland","country":"US","postalCode":"97201","state":"OR","street":"1420 SW Park Ave"}`,
	`{"city":"Austin","country":"US","postalCode":"78701","state":"TX","street":"98 San Jacinto Blvd"}`,
	`{"city":"Chicago","country":"US","postalCode":"60611","state":"IL","street":"401 N Michigan Ave"}`,
	`{"city":"Boston","country":"US","postalCode":"02116","state":"MA","street":"27 Clarendon St"}`,
	`{"city":"Denver","country":"US","postalCode":"80202","state":"CO","street":"1801 Wynkoop St"}`,
	`{"city":"Cañon City","country":"US","postalCode":"81212","state":"CO","street":"612 Royal Gorge Blvd"}`,
}

// Values of the trait company, as JSON text; appendTraits writes null as well, which deletes the trait.
var companies = [...]string{`"Northwind Traders"`, `"Initech"`, `"Lumen Studio"`, `"Harbour & Sons"`}

// Members of a group call. They are traits of the group and not of the person, so the truth does not record them.
var groups = [...]string{
	`"groupId":"acct_northwind","traits":{"name":"Northwind Traders","industry":"Wholesale","employees":120}`,
	`"groupId":"acct_initech","traits":{"name":"Initech","industry":"Software","employees":840}`,
	`"groupId":"acct_lumen","traits":{"name":"Lumen Studio","industry":"Design","employees":14}`,
}

// Browsers and phones, as the rest of their events' context.
var browsers = [...]string{
	`"locale":"en-US","userAgent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"`,
	`"locale":"en-US","userAgent":"Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:132.0) Gecko/20100101 Firefox/132.0"`,
	`"locale":"en-GB","userAgent":"Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"`,
	`"locale":"en-US","userAgent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0"`,
	`"locale":"es-US","userAgent":"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36"`,
	`"locale":"en-US","userAgent":"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1"`,
}

type handset struct {
	apple bool   // writes UUIDs in capitals
	model string // fields of context.device beside its id
	rest  string // of the context
}

var handsets = [...]handset{
	{true, `"manufacturer":"Apple","model":"iPhone16,2","name":"iPhone","type":"ios"`, `"app":{"name":"Harbour","version":"4.12.1"},"locale":"en-US","network":{"cellular":false,"wifi":true},"os":{"name":"iOS","version":"18.1.1"},"timezone":"America/Chicago"`},
	{true, `"manufacturer":"Apple","model":"iPad14,8","name":"iPad","type":"ios"`, `"app":{"name":"Harbour","version":"4.11.0"},"locale":"en-US","network":{"cellular":false,"wifi":true},"os":{"name":"iPadOS","version":"18.0"},"timezone":"America/New_York"`},
	{false, `"manufacturer":"Google","model":"Pixel 8","name":"shiba","type":"android"`, `"app":{"name":"Harbour","version":"4.12.0"},"locale":"en-US","network":{"carrier":"T-Mobile","cellular":true,"wifi":false},"os":{"name":"Android","version":"15"},"timezone":"America/Los_Angeles"`},
}

const (
	browserLibrary = `"library":{"name":"analytics.js","version":"2.11.1"}`
	serverLibrary  = `"library":{"name":"@segment/analytics-node","version":"2.2.0"}`
	appleLibrary   = `"library":{"name":"analytics-swift","version":"1.7.1"}`
	androidLibrary = `"library":{"name":"analytics-kotlin","version":"1.19.2"}`
)

const shopURL = "https://harbour.example"

// Three of seven are empty, for visits without a referrer.
var referrers = [...]string{"", "", "", "https://www.google.com/", "https://www.instagram.com/", shopURL + "/", "https://news.harbour.example/"}

// A place is a page of the shop, as JSON text without quotes.
type place struct{ path, title string }

var places = [...]place{
	{"/", "Harbour"},
	{"/new", "New arrivals"},
	{"/c/kitchen", "Kitchen"},
	{"/c/lighting", "Lighting"},
	{"/c/cafe", "Café corner"},
	{"/sale", "Up to 25% off"},
	{"/help/delivery", "Delivery \\u0026 returns"},
	{"/c/screens", "27\\\" screens"},
	{"/account", "Your account"},
}

// Screens of the app, drawn with equal weights.
var screens = [...]string{"Home", "Product", "Search", "Wish list", "Basket", "Account"}

// Texts of searches, as JSON text without the outer quotes: hence the escapes before a quotation mark.
var queries = [...]string{"oak board", "lamp", "linen 240x220", "crème brûlée dish", "gift under $50", "\\\"no drill\\\" shelf"}

// Properties of Promotion Viewed and Promotion Clicked.
var promotions = [...]string{
	`"promotion_id":"promo_autumn","creative":"hero_banner","name":"Autumn at home","position":"home_top"`,
	`"promotion_id":"promo_ship","creative":"strip","name":"Free delivery this week","position":"header"`,
}

// Codes of coupons. The last one stands for free delivery: till.ring gives it without a discount on the items.
var coupons = [...]string{"AUTUMN10", "WELCOME", "VIP-25", "FREESHIP"}

// Values that carelessly made sites send in place of an identifier.
var junk = [...]string{
	"null", "undefined", "anonymous", "00000000-0000-0000-0000-000000000000", "{{email}}", "%%email%%", "[object Object]", "none", "n/a",
}
