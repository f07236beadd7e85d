using Bascule.Core.Model;

namespace Bascule.Notify;

/// <summary>A notification on its way.</summary>
/// <param name="Number">1 for the first since the director started, one more for each.</param>
/// <param name="Node">The director's name.</param>
/// <param name="About">What is told.</param>
internal sealed record Letter(long Number, string Node, Notification About)
{
    /// <summary>The type as programs read it: <c>instance</c>, <c>realServer</c>.</summary>
    public string Type => WordOf(About.Type);

    /// <summary>For logs, syslog and subjects: <c>instance web-vip is active</c>.</summary>
    public string Sentence => $"{Type} {About.Name} is {About.State}";

    public static string WordOf(NotificationType type) => type switch
    {
        NotificationType.Instance => "instance",
        NotificationType.RealServer => "realServer",
        NotificationType.VirtualServer => "virtualServer",
        NotificationType.Director => "director",
    };
}
