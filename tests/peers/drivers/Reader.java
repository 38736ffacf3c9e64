import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/** Does by JDBC what programs for analysts do. Reads commands, a line each, and answers each with lines of tab-separated fields. */
public class Reader {
    private static final String USER = System.getenv("PGUSER");
    private static final String URL = "jdbc:postgresql://" + System.getenv("PGHOST") + ":" + System.getenv("PGPORT") + "/"
        + System.getenv("PGDATABASE");

    public static void main(String[] arguments) throws Exception {
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in));
        try (Connection connection = connect()) {
            for (String line = commands.readLine(); line != null; line = commands.readLine()) {
                String[] command = line.split(" ", 2);
                switch (command[0]) {
                    case "tables" -> tables(connection.getMetaData(), command[1]);
                    case "columns" -> columns(connection.getMetaData(), command[1].split("\\."));
                    case "rows" -> rows(connection, command[1]);
                    case "refused" -> refused(connection, command[1]);
                    case "sessions" -> sessions(Integer.parseInt(command[1]));
                    default -> throw new IllegalArgumentException(line);
                }
            }
        }
    }

    private static Connection connect() throws SQLException {
        return DriverManager.getConnection(URL, USER, System.getenv("PGPASSWORD"));
    }

    private static void tables(DatabaseMetaData database, String schema) throws SQLException {
        try (ResultSet found = database.getTables(null, schema, "%", new String[] {"VIEW"})) {
            while (found.next()) {
                answer("table", found.getString("TABLE_NAME"), found.getString("REMARKS"));
            }
        }
    }

    private static void columns(DatabaseMetaData database, String[] table) throws SQLException {
        try (ResultSet found = database.getColumns(null, table[0], table[1], "%")) {
            while (found.next()) {
                answer("column", found.getString("COLUMN_NAME"), found.getString("REMARKS"));
            }
        }
    }

    /** In parts, as DBeaver reads: that needs a transaction. */
    private static void rows(Connection connection, String view) throws SQLException {
        connection.setAutoCommit(false);
        int count = 0;
        try (Statement statement = connection.createStatement()) {
            statement.setFetchSize(50);
            ResultSet found = statement.executeQuery("select * from " + view);
            while (found.next()) {
                for (int column = 1; column <= found.getMetaData().getColumnCount(); column++) {
                    found.getObject(column);
                }
                count++;
            }
        }
        connection.rollback();
        connection.setAutoCommit(true);
        answer("rows", view, Integer.toString(count));
    }

    private static void refused(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
            answer("allowed", sql, "");
        } catch (SQLException refusal) {
            answer("refused", refusal.getSQLState(), refusal.getMessage());
        }
    }

    private static void sessions(int most) throws SQLException {
        List<Connection> open = new ArrayList<>();
        try {
            while (open.size() < most) {
                open.add(connect());
            }
        } catch (SQLException refusal) {
            answer("full", Integer.toString(open.size()), refusal.getMessage());
        }
        for (Connection each : open) {
            each.close();
        }
    }

    private static void answer(String kind, String name, String text) {
        System.out.println(kind + "\t" + name + "\t" + (text == null ? "" : text.replaceAll("\\s+", " ")));
    }
}
