namespace Bascule.Client;

/// <summary>Lines of cells, each column as wide as its widest cell. The first column leads; lines that belong below another are indented.</summary>
internal sealed class Table
{
    private readonly List<string[]> _rows = [];
    private readonly bool[] _isNumber;

    /// <summary>A table with these headings; a heading that begins with <c>&gt;</c> is of a column of numbers, aligned on the right.</summary>
    public Table(params string[] headings)
    {
        _isNumber = [.. headings.Select(h => h.StartsWith('>'))];
        _rows.Add([.. headings.Select(h => h.TrimStart('>'))]);
    }

    public void Add(params string[] cells) => _rows.Add(cells);

    public void Write(TextWriter to)
    {
        int[] widths = [.. Enumerable.Range(0, _isNumber.Length).Select(column => _rows.Max(row => column < row.Length && row.Length > 1 ? row[column].Length : 0))];
        foreach (string[] row in _rows)
            to.WriteLine(string.Join(' ', row.Select((cell, column) => _isNumber[column] ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column]))).TrimEnd());
    }
}
