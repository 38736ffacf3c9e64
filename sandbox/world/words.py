"""The vocabulary of the made-up companies."""

# city, voivodeship, first two digits of the postal code, telephone area code
CITIES = (
    ("Warszawa", "mazowieckie", "00", "22"),
    ("Warszawa", "mazowieckie", "02", "22"),
    ("Kraków", "małopolskie", "30", "12"),
    ("Łódź", "łódzkie", "90", "42"),
    ("Wrocław", "dolnośląskie", "50", "71"),
    ("Poznań", "wielkopolskie", "60", "61"),
    ("Gdańsk", "pomorskie", "80", "58"),
    ("Gdynia", "pomorskie", "81", "58"),
    ("Szczecin", "zachodniopomorskie", "70", "91"),
    ("Bydgoszcz", "kujawsko-pomorskie", "85", "52"),
    ("Toruń", "kujawsko-pomorskie", "87", "56"),
    ("Lublin", "lubelskie", "20", "81"),
    ("Białystok", "podlaskie", "15", "85"),
    ("Katowice", "śląskie", "40", "32"),
    ("Częstochowa", "śląskie", "42", "34"),
    ("Bielsko-Biała", "śląskie", "43", "33"),
    ("Rzeszów", "podkarpackie", "35", "17"),
    ("Kielce", "świętokrzyskie", "25", "41"),
    ("Olsztyn", "warmińsko-mazurskie", "10", "89"),
    ("Opole", "opolskie", "45", "77"),
    ("Zielona Góra", "lubuskie", "65", "68"),
    ("Radom", "mazowieckie", "26", "48"),
    ("Tarnów", "małopolskie", "33", "14"),
    ("Jelenia Góra", "dolnośląskie", "58", "75"),
    ("Świnoujście", "zachodniopomorskie", "72", "91"),
)

STREETS = (
    "Marszałkowska", "Puławska", "Jana Pawła II", "Piłsudskiego", "Mickiewicza", "Słowackiego", "Długa",
    "Krótka", "Polna", "Leśna", "Ogrodowa", "Lipowa", "Kwiatowa", "Szkolna", "Słoneczna", "Łąkowa",
    "Przemysłowa", "Fabryczna", "Kolejowa", "Dworcowa", "Portowa", "Spółdzielcza", "Rzemieślnicza",
    "Kościuszki", "Żeromskiego", "Sienkiewicza", "Reymonta", "Chopina", "Kopernika", "Grunwaldzka",
    "3 Maja", "11 Listopada", "Armii Krajowej", "Wojska Polskiego", "Powstańców Śląskich", "Krakowska",
    "Poznańska", "Wrocławska", "Gdańska", "Toruńska", "Źródlana", "Świętokrzyska", "Wiśniowa",
)  # fmt: skip

BRAND_STARTS = (
    "Pol", "Trans", "Bud", "Eko", "Agro", "Met", "Drew", "Inter", "Euro", "Elektro", "Hydro", "Termo",
    "Auto", "Info", "Med", "Chem", "Gaz", "Wod", "Mar", "Sław", "Śląsk", "Bałt", "Karpat", "Żubr",
)  # fmt: skip

BRAND_ENDS = (
    "pol", "bud", "trans", "mex", "tex", "stal", "lux", "plast", "dom", "serwis", "system", "net", "med",
    "hurt", "mar", "war", "kop", "tech", "rol", "drób",
)  # fmt: skip

# The older ERP cannot hold these: some are outside Latin-2, all are outside ASCII.
FOREIGN_STARTS = ("Smørrebrød", "Señor", "Brașov", "Nord—West", "Ångström", "Øresund", "Cañón", "Timișoara")

TRADES = (
    "Budownictwo", "Logistyka", "Transport", "Spedycja", "Produkcja", "Handel", "Usługi", "Inżynieria",
    "Energia", "Oświetlenie", "Opakowania", "Meble", "Konstrukcje", "Instalacje", "Żywność", "Nieruchomości",
    "Finanse", "Doradztwo", "Szkolenia", "Technologie", "Laboratoria", "Farby", "Narzędzia", "Części",
    "Ogrody", "Wnętrza", "Druk", "Odzież", "Zdrowie",
)  # fmt: skip

SHOPS = (
    "Piekarnia", "Warsztat", "Zakład Stolarski", "Biuro Rachunkowe", "Gabinet", "Usługi Remontowe",
    "Sklep Spożywczy", "Auto Serwis", "Kwiaciarnia", "Pracownia", "Usługi Transportowe", "Hurtownia",
)  # fmt: skip

FIRST_NAMES = (
    "Jan", "Anna", "Piotr", "Katarzyna", "Krzysztof", "Małgorzata", "Andrzej", "Agnieszka", "Tomasz",
    "Barbara", "Paweł",
    "Ewa", "Marcin", "Krystyna", "Michał", "Elżbieta", "Łukasz", "Zofia", "Grzegorz", "Józef",
)  # fmt: skip

SURNAMES = (
    "Nowak", "Kowalski", "Wiśniewski", "Wójcik", "Kowalczyk", "Kamiński", "Lewandowski", "Zieliński",
    "Szymański", "Woźniak", "Dąbrowski", "Kozłowski", "Jankowski", "Mazur", "Kwiatkowski", "Krawczyk",
    "Piotrowski", "Grabowski", "Zając", "Pawłowski", "Michalski", "Król", "Wróbel", "Jabłoński", "Wieczorek",
    "Stępień", "Malinowski", "Gołębiowski", "Świątek", "Żak", "Ćwikła", "Łuczak", "Ścibor", "Źrebiec",
)  # fmt: skip

CAUSES = (
    "Pomocna Dłoń",
    "Zielona Przyszłość",
    "Młodzi Twórcy",
    "Nasze Dziedzictwo",
    "Dla Zwierząt",
    "Nadzieja",
)
