using System.Collections.Immutable;
using Bascule.Core.Model;

namespace Bascule.Core.Config.Checks;

/// <summary>One kind of question: its word in the file, the settings that mean something to it, and the check they come to.</summary>
/// <param name="word">As written.</param>
/// <param name="doc">The question, for the reference.</param>
/// <param name="alsoCalled">What other programs call it; suggested, not accepted.</param>
internal sealed class CheckKind(string word, string doc, params ImmutableArray<string> alsoCalled)
{
    /// <inheritdoc cref="CheckKind(string, string, ImmutableArray{string})" path="/param[@name='word']"/>
    public string Word => word;

    /// <summary>As one of the words of `type`.</summary>
    public Choice<CheckKind> Choice => new(word, this, doc, alsoCalled);

    /// <summary>What it understands beside the cadence, `port` and `tls`. Kinds may share a setting; then it means the same to each.</summary>
    public ImmutableArray<Setting> Settings { get; init; } = [];

    /// <summary>How its conversation may be encrypted by `tls`, the more usual first; empty: it has none, or is encrypted always.</summary>
    public ImmutableArray<TlsBegin> Tls { get; init; } = [];

    /// <summary>Whether a setting that not all kinds understand means something to it.</summary>
    public bool Understands(Setting setting) => Settings.Contains(setting) || (!Tls.IsEmpty && CheckTls.Settings.Contains(setting));

    /// <summary>The question that the settings come to; its cadence, port and TLS are put in by <see cref="CheckSection"/>.</summary>
    public required Func<Fields, Check> Meant { get; init; }

    /// <summary>What must hold between its settings.</summary>
    public Action<Fields, ProblemList>? Rule { get; init; }

    /// <summary>Whether it asks at a port, so that one must be known.</summary>
    public bool AsksAtPort { get; init; } = true;

    /// <summary>It asks over a TCP connection to where clients are sent, which may have to begin with a header of the PROXY protocol.</summary>
    public bool TakesProxyHeader { get; init; }

    /// <summary>It asks nothing, so that settings of another kind may stay in the file while it is written.</summary>
    public bool IsSwitch { get; init; }
}
