namespace Bascule.Core.Model;

/// <summary>Are several requests answered as expected? They are asked one after the other, in the time of the whole; the first that fails decides.</summary>
/// <param name="Urls">At least one. Their cadences and ports mean nothing; those of the whole hold.</param>
public sealed record HttpUrlsCheck(ValueList<HttpCheck> Urls) : Check
{
    /// <inheritdoc/>
    public override string Words => $"{(Urls[0].Tls is null ? "http" : "https")} {string.Join(", ", Urls.Select(url => url.Path))}";
}
