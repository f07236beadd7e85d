using System.Collections.Immutable;

namespace Bascule.Core.Config;

/// <summary>Collects problems. It holds so many that a person fixes these first, and a hostile file cannot fill the terminal.</summary>
internal sealed class ProblemList
{
    public const int Maximum = 200;

    private readonly List<Problem> _problems = [];
    private Problem? _cut;
    private bool _overflowed;

    /// <summary>Whether nothing has been found wrong yet.</summary>
    public bool IsEmpty => _problems.Count == 0 && _cut is null;

    /// <summary>Whether part of the file could not be read, so that what seems to be missing may be there.</summary>
    public bool IsPartial { get; set; }

    public void Add(Location at, string what, string hint)
    {
        if (_problems.Count < Maximum)
            _problems.Add(new(at, what, hint));
        else
            _overflowed = true;
    }

    public void Add(Location at, Complaint complaint) => Add(at, complaint.What, complaint.Hint);

    /// <summary>Reading ended here. What was misread on this line and after it would only mislead, so it is not reported.</summary>
    public void CutAt(Problem cut)
    {
        _cut ??= cut;
        IsPartial = true;
    }

    /// <summary>All of them, in the order of the file.</summary>
    public ImmutableArray<Problem> Sorted()
    {
        List<Problem> listed =
        [
            .. _problems.Where(p => _cut is null || p.At.Line < _cut.At.Line).OrderBy(p => p.At.Line).ThenBy(p => p.At.Column),
        ];
        if (_cut is not null)
            listed.Add(_cut);
        if (_overflowed)
            listed.Add(new(listed[^1].At, $"more problems follow; only {Maximum} are listed", "fix these first, then check again"));
        return [.. listed];
    }
}
