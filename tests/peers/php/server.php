<?php
// Two services over one SQLite file (SHOP_DB): document/literal, and rpc/encoded as older PHP services are.
// Both give at most CAP rows, whatever is asked for.
const CAP = 40;

function rows(string $sql, int $limit, int $offset): array {
    $db = new SQLite3(getenv('SHOP_DB'), SQLITE3_OPEN_READONLY);
    $found = $db->query(sprintf('%s limit %d offset %d', $sql, $limit, $offset));
    $rows = [];
    while ($row = $found->fetchArray(SQLITE3_ASSOC)) {
        $rows[] = (object) $row;
    }
    return $rows;
}

function total(string $table): int {
    return (new SQLite3(getenv('SHOP_DB'), SQLITE3_OPEN_READONLY))->querySingle("select count(*) from $table");
}

class Shop {
    // Counts its pages by the size that is asked for, though it gives no more than CAP.
    public function listCustomers($in) {
        $page = $in->criteria->page ?? 1;
        $size = $in->criteria->pageSize ?? CAP;
        $customers = rows('select * from customer order by id', min($size, CAP), ($page - 1) * $size);
        return ['total' => total('customer'), 'customer' => $customers];
    }

    public function listInvoices($in) {
        $offset = isset($in->token) ? (int) base64_decode($in->token) : 0;
        $size = min($in->limit ?? CAP, CAP);
        $invoices = rows('select * from invoice order by number', $size, $offset);
        $answer = ['invoice' => $invoices];
        if ($offset + count($invoices) < total('invoice')) {
            $answer['nextToken'] = base64_encode((string) ($offset + count($invoices)));
        }
        return $answer;
    }
}

class Stock {
    public function getLines(int $offset, int $count) {
        $lines = rows('select * from line order by invoice, position', min($count, CAP), $offset);
        return (object) ['lines' => $lines, 'last' => $offset + count($lines) >= total('line')];
    }
}

$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
[$file, $class] = $path === '/encoded' ? ['encoded.wsdl', 'Stock'] : ['document.wsdl', 'Shop'];
if (isset($_GET['wsdl'])) {
    header('Content-Type: text/xml; charset=utf-8');
    readfile(__DIR__ . '/' . $file);
    return;
}
$server = new SoapServer(__DIR__ . '/' . $file, ['cache_wsdl' => WSDL_CACHE_NONE, 'soap_version' => SOAP_1_1]);
$server->setClass($class);
$server->handle();
