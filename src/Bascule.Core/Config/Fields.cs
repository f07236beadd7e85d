namespace Bascule.Core.Config;

/// <summary>The configuration as checked: the settings of one section that were written, each with its value and its place.</summary>
internal sealed class Fields(Location at)
{
    private readonly Dictionary<Setting, (object Value, Location At)> _written = [];
    private readonly HashSet<Setting> _broken = [];

    /// <summary>A section of which nothing is written.</summary>
    public static Fields Nothing { get; } = new(Location.Start);

    /// <summary>Where the section begins.</summary>
    public Location At => at;

    public void Put<T>(Setting<T> setting, T value, Location valueAt)
        where T : notnull => _written[setting] = (value, valueAt);

    /// <summary>It was written, but what was written is a problem that has been reported.</summary>
    public void PutBroken(Setting setting) => _broken.Add(setting);

    /// <summary>Whether it was written, well or badly.</summary>
    public bool IsWritten(Setting setting) => _written.ContainsKey(setting) || _broken.Contains(setting);

    /// <summary>Whether what was written is a problem that has been reported.</summary>
    public bool IsBroken(Setting setting) => _broken.Contains(setting);

    /// <summary>Where its value stands; where the section begins, when it was not written.</summary>
    public Location AtOf(Setting setting) => _written.TryGetValue(setting, out (object Value, Location At) written) ? written.At : at;

    /// <summary>The value, or the default.</summary>
    public T Get<T>(Setting<T> setting)
        where T : notnull =>
        _written.TryGetValue(setting, out (object Value, Location At) written) ? (T)written.Value : setting.Default;

    /// <summary>The value, if it was written.</summary>
    public T? Find<T>(Setting<T> setting)
        where T : class => _written.TryGetValue(setting, out (object Value, Location At) written) ? (T)written.Value : null;

    /// <inheritdoc cref="Find{T}(Setting{T})"/>
    public T? FindValue<T>(Setting<T> setting)
        where T : struct => _written.TryGetValue(setting, out (object Value, Location At) written) ? (T)written.Value : null;
}
